{{/* What runs beside the operator: the notification gateway and jobs. Each is named and labelled by its part. */}}

{{/* Never changes in a release: (list . "notifications"). */}}
{{- define "paycert.partSelectorLabels" -}}
{{- $labels := fromYaml (include "paycert.selectorLabels" (index . 0)) -}}
{{- toYaml (set $labels "app.kubernetes.io/component" (index . 1)) -}}
{{- end -}}

{{- define "paycert.partLabels" -}}
{{- $labels := fromYaml (include "paycert.labels" (index . 0)) -}}
{{- toYaml (set $labels "app.kubernetes.io/component" (index . 1)) -}}
{{- end -}}

{{- define "paycert.partMetadata" -}}
name: {{ include "paycert.suffixed" . }}
namespace: {{ include "paycert.namespace" (index . 0) }}
labels: {{- include "paycert.partLabels" . | nindent 2 }}
{{- end -}}

{{/* paycert.yaml of a part: (list values-of-the-part what-the-chart-sets). */}}
{{- define "paycert.partConfig" -}}
{{- mergeOverwrite (deepCopy (index . 0).config) (dict "listen" (dict "socket" "/run/paycert/paycert.sock")) (index . 1) | toPrettyJson -}}
{{- end -}}

{{/* Fields of a pod that all parts have: (list . values-of-the-part), and the name of its ConfigMap where it has one. */}}
{{- define "paycert.partPod" -}}
{{- $root := index . 0 -}}
{{- $part := index . 1 -}}
{{- with include "paycert.pullSecrets" $root }}
{{- . }}
{{ end -}}
enableServiceLinks: false
{{- with include "paycert.podSecurityContext" $root }}
securityContext: {{- . | nindent 2 }}
{{- end }}
{{- with $root.Values.priorityClassName | default $root.Values.global.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with $root.Values.runtimeClassName | default $root.Values.global.runtimeClassName }}
runtimeClassName: {{ . }}
{{- end }}
{{- with $root.Values.hostAliases | default $root.Values.global.hostAliases }}
hostAliases: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with merge (deepCopy $root.Values.nodeSelector) $root.Values.global.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $root.Values.tolerations | default $root.Values.global.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
volumes:
  - { name: socket, emptyDir: { medium: Memory, sizeLimit: 1Mi } }
  {{- if gt (len .) 2 }}
  - name: config
    configMap: { name: {{ index . 2 }} }
  {{- end }}
  {{- range $part.secrets }}
  - name: {{ printf "secret-%s" (sha256sum .path | trunc 8) }}
    secret: { secretName: {{ .name }}, defaultMode: 288 } # 0440, which YAML 1.2 reads as 440
  {{- end }}
{{- end -}}

{{/* Fields of its container: (list . values-of-the-part), and anything else where it has a ConfigMap. */}}
{{- define "paycert.partContainer" -}}
{{- $root := index . 0 -}}
{{- $part := index . 1 -}}
image: {{ include "paycert.image" $root | quote }}
imagePullPolicy: {{ $root.Values.image.pullPolicy }}
{{- with $part.env }}
env: {{- toYaml . | nindent 2 }}
{{- end }}
resources: {{- toYaml $part.resources | nindent 2 }}
securityContext: {{- toYaml $root.Values.securityContext | nindent 2 }}
terminationMessagePolicy: FallbackToLogsOnError
volumeMounts:
  - { name: socket, mountPath: /run/paycert }
  {{- if gt (len .) 2 }}
  - { name: config, mountPath: /etc/paycert/config, readOnly: true }
  {{- end }}
  {{- range $part.secrets }}
  - { name: {{ printf "secret-%s" (sha256sum .path | trunc 8) }}, mountPath: {{ .path }}, readOnly: true }
  {{- end }}
{{- end -}}
