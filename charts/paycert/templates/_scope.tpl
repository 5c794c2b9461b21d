{{/* What the operator may see: namespaces, Secrets, and the rules that follow from them. */}}

{{/* As JSON, because a template gives text: the namespaces of scope `namespaces`. */}}
{{- define "paycert.namespaces" -}}
{{- .Values.rbac.namespaces | default (list (include "paycert.namespace" .)) | uniq | sortAlpha | toJson -}}
{{- end -}}

{{/* As JSON, of a value that lists NAMESPACE/NAME: namespace → names of Secrets in it: (list . value its-name). */}}
{{- define "paycert.byNamespace" -}}
{{- $root := index . 0 -}}
{{- $of := index . 2 -}}
{{- $byNamespace := dict -}}
{{- range index . 1 -}}
{{- $parts := splitList "/" . -}}
{{- $namespace := first $parts -}}
{{- if and (eq $root.Values.rbac.scope "namespaces") (not (has $namespace (include "paycert.namespaces" $root | fromJsonArray))) -}}
{{- fail (printf "%s: %s is in no namespace of rbac.namespaces" $of .) -}}
{{- end -}}
{{- $_ := set $byNamespace $namespace (append (get $byNamespace $namespace | default list) (last $parts)) -}}
{{- end -}}
{{- toJson $byNamespace -}}
{{- end -}}

{{- define "paycert.secretNames" -}}
{{- include "paycert.byNamespace" (list . .Values.rbac.secretNames "rbac.secretNames") -}}
{{- end -}}

{{/* Rules that hold for a namespace, or for all of them. */}}
{{- define "paycert.rules" -}}
- apiGroups: [paycert.dev]
  resources: [paymentcredentials]
  verbs: [get, list, watch]
- apiGroups: [paycert.dev]
  resources: [paymentcredentials/status]
  verbs: [patch]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create]
{{- if not .Values.rbac.secretNames }}
# `list` and `watch` read the contents of every Secret in scope. The operator asks for their metadata only; rbac.secretNames enforces it.
- apiGroups: [""]
  resources: [secrets]
  verbs: [get, list, watch]
{{- end }}
{{- if .Values.refreshPods }}
- apiGroups: [""]
  resources: [pods]
  verbs: [list]
- apiGroups: [""]
  resources: [pods/status]
  verbs: [patch]
{{- end }}
{{- if .Values.injection.enabled }}
- apiGroups: [""]
  resources: [pods]
  verbs: [list, watch]
# The annotation that says when staged keys sign.
- apiGroups: [""]
  resources: [pods/status]
  verbs: [patch]
- apiGroups: [apps]
  resources: [replicasets]
  verbs: [get]
{{- if .Values.injection.recreateMissing }}
- apiGroups: [apps]
  resources: [statefulsets, daemonsets]
  verbs: [get]
- apiGroups: [""]
  resources: [pods/eviction]
  verbs: [create]
# Dry runs only: a ValidatingAdmissionPolicy refuses the others.
- apiGroups: [""]
  resources: [pods]
  verbs: [create]
{{- end }}
{{- end }}
{{- if .Values.fleet.enabled }}
- apiGroups: [""]
  resources: [pods]
  verbs: [list, watch]
{{- end }}
{{- end -}}

{{/* Binds the operator's account to a Role or ClusterRole: (list . kind name). */}}
{{- define "paycert.binding" -}}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: {{ index . 1 }}
  name: {{ index . 2 }}
subjects:
  - kind: ServiceAccount
    name: {{ include "paycert.serviceAccountName" (index . 0) }}
    namespace: {{ include "paycert.namespace" (index . 0) }}
{{- end -}}
