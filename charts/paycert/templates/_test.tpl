{{/* The pod of `helm test`. */}}

{{- define "paycert.testLabels" -}}
app.kubernetes.io/name: {{ include "paycert.name" . }}
app.kubernetes.io/instance: {{ .Release.Name | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/component: test
{{- end -}}

{{- define "paycert.testContainer" -}}
image: {{ include "paycert.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext: {{- toYaml .Values.securityContext | nindent 2 }}
resources: {{- toYaml .Values.resources | nindent 2 }}
terminationMessagePolicy: FallbackToLogsOnError
volumeMounts:
  - { name: work, mountPath: /work }
{{- end -}}
