{{/* Webhooks: whom they leave out, and what they have in common. */}}

{{/* What the operator sees, and never its own start. */}}
{{- define "paycert.admissionNamespaces" -}}
matchExpressions:
  {{- $out := append .Values.admission.excludedNamespaces (include "paycert.namespace" .) | uniq }}
  - { key: kubernetes.io/metadata.name, operator: NotIn, values: {{ toJson $out }} }
  {{- if eq .Values.rbac.scope "namespaces" }}
  - { key: kubernetes.io/metadata.name, operator: In, values: {{ include "paycert.namespaces" . }} }
  {{- end }}
  {{- with .Values.admission.namespaceSelector.matchExpressions }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with .Values.admission.namespaceSelector.matchLabels }}
matchLabels: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* The Secret with the certificate of somebody else; empty where the operator makes its own. */}}
{{- define "paycert.admissionSecret" -}}
{{- $certificate := .Values.admission.certificate -}}
{{- if .Values.admission.enabled -}}
{{- $certificate.secretName | default (ternary (include "paycert.suffixed" (list . "admission-tls")) "" (not (empty $certificate.issuerRef))) -}}
{{- end -}}
{{- end -}}

{{/* Of a configuration of webhooks: those of the values, and what has cert-manager put its authority in. */}}
{{- define "paycert.webhookAnnotations" -}}
{{- $certificate := printf "%s/%s" (include "paycert.namespace" .) (include "paycert.suffixed" (list . "admission")) -}}
{{- $injected := ternary (dict "cert-manager.io/inject-ca-from" $certificate) dict (not (empty .Values.admission.certificate.issuerRef)) -}}
{{- with merge dict .Values.admission.annotations $injected -}}
annotations: {{- toYaml . | nindent 2 }}
{{- end -}}
{{- end -}}

{{/* No `caBundle`: the operator, or cert-manager, owns that field. */}}
{{- define "paycert.webhook" -}}
clientConfig:
  service:
    name: {{ include "paycert.suffixed" (list . "admission") }}
    namespace: {{ include "paycert.namespace" . }}
    path: /review
    port: 443
namespaceSelector: {{- include "paycert.admissionNamespaces" . | nindent 2 }}
matchPolicy: Equivalent
sideEffects: None
timeoutSeconds: {{ .Values.admission.timeoutSeconds }}
admissionReviewVersions: [v1]
{{- end -}}

{{- define "paycert.secretWebhook" -}}
rules: [{ apiGroups: [""], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [secrets], scope: Namespaced }]
matchConditions:
  {{- include "paycert.changesWhatIsChecked" . | nindent 2 }}
{{- end -}}

{{/* A condition of reviews and of the policy: what is stored already may be annotated, whatever is wrong with it. */}}
{{- define "paycert.changesWhatIsChecked" -}}
- name: changes-what-is-checked
  expression: >-
    request.operation == 'CREATE' ||
    (has(object.data) ? object.data : {}) != (has(oldObject.data) ? oldObject.data : {}) ||
    (has(object.metadata.labels) ? object.metadata.labels : {}) != (has(oldObject.metadata.labels) ? oldObject.metadata.labels : {})
{{- end -}}
