{{/* Names and labels. Every name fits 63 characters, suffix included: a label's value and a DNS label are no longer. */}}

{{- define "paycert.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "paycert.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* The full name with a suffix, which is kept whole: (list . "metrics"). */}}
{{- define "paycert.suffixed" -}}
{{- $suffix := index . 1 -}}
{{- printf "%s-%s" (include "paycert.fullname" (index . 0) | trunc (sub 62 (len $suffix) | int) | trimSuffix "-") $suffix -}}
{{- end -}}

{{- define "paycert.namespace" -}}
{{- default .Release.Namespace .Values.namespaceOverride -}}
{{- end -}}

{{- define "paycert.leaseName" -}}
{{- default (include "paycert.fullname" .) .Values.leaderElection.leaseName -}}
{{- end -}}

{{- define "paycert.leaseNamespace" -}}
{{- default (include "paycert.namespace" .) .Values.leaderElection.namespace -}}
{{- end -}}

{{/* Without fixed ids where OpenShift gives them. */}}
{{- define "paycert.podSecurityContext" -}}
{{- $isOpenShift := or (eq .Values.openshift "force") (and (eq .Values.openshift "auto") (.Capabilities.APIVersions.Has "security.openshift.io/v1")) -}}
{{- $context := .Values.podSecurityContext -}}
{{- if $isOpenShift }}{{ $context = omit $context "runAsUser" "runAsGroup" "fsGroup" }}{{ end -}}
{{- with $context }}{{ toYaml . }}{{ end -}}
{{- end -}}

{{- define "paycert.serviceAccountName" -}}
{{- default (ternary (include "paycert.fullname" .) "default" .Values.serviceAccount.create) .Values.serviceAccount.name -}}
{{- end -}}

{{/* Never changes in a release: a Deployment's selector cannot. */}}
{{- define "paycert.selectorLabels" -}}
app.kubernetes.io/name: {{ include "paycert.name" . }}
app.kubernetes.io/instance: {{ .Release.Name | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/component: operator
{{- end -}}

{{- define "paycert.labels" -}}
{{- $ours := fromYaml (include "paycert.ownLabels" .) -}}
{{- toYaml (merge $ours (default dict .Values.global.commonLabels)) -}}
{{- end -}}

{{- define "paycert.ownLabels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "paycert.selectorLabels" . }}
{{- /* A tag may begin and end with what a label's value may not. */}}
{{- with .Values.image.tag | default .Chart.AppVersion | trunc 63 | trimAll "-_." }}
app.kubernetes.io/version: {{ . | quote }}
{{- end }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: paycert
{{- end -}}

{{/* registry/repository:tag@digest */}}
{{- define "paycert.image" -}}
{{- $registry := default .Values.global.imageRegistry .Values.image.registry -}}
{{- with $registry }}{{ trimSuffix "/" . }}/{{ end -}}
{{- .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion -}}
{{- with .Values.image.digest }}@{{ . }}{{ end -}}
{{- end -}}

{{- define "paycert.pullSecrets" -}}
{{- with concat (default list .Values.global.imagePullSecrets) (default list .Values.imagePullSecrets) -}}
imagePullSecrets:
{{ toYaml (uniq .) }}
{{- end -}}
{{- end -}}
