{{/* Prometheus Operator's kinds: whether to render them, and what they have in common. */}}

{{/* Not empty when an object is to be rendered: (list . kind values). */}}
{{- define "paycert.renders" -}}
{{- $kind := index . 1 -}}
{{- $values := index . 2 -}}
{{- if $values.enabled -}}
{{- if or (eq $values.renderMode "alwaysRender") ((index . 0).Capabilities.APIVersions.Has (printf "monitoring.coreos.com/v1/%s" $kind)) -}}
yes
{{- else if eq $values.renderMode "failIfMissing" -}}
{{- fail (printf "this cluster has no kind %s (monitoring.coreos.com/v1): install Prometheus Operator, or disable it in the values" $kind) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* The metadata of such an object: (list . name values). */}}
{{- define "paycert.monitoringMetadata" -}}
{{- $root := index . 0 -}}
{{- $values := index . 2 -}}
name: {{ index . 1 }}
namespace: {{ $values.namespace | default (include "paycert.namespace" $root) }}
labels:
  {{- $ours := fromYaml (include "paycert.labels" $root) }}
  {{- toYaml (merge (deepCopy $values.labels) $ours) | nindent 2 }}
{{- with $values.annotations }}
annotations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* The values of the ServiceMonitor, with what follows from how the operator serves its metrics. */}}
{{- define "paycert.operatorScrape" -}}
{{- $values := deepCopy .Values.serviceMonitor -}}
{{- with .Values.metrics -}}
{{- if .tls.enabled -}}
{{- $service := printf "%s.%s.svc" (include "paycert.suffixed" (list $ "metrics")) (include "paycert.namespace" $) -}}
{{- $ca := dict "secret" (dict "name" .tls.secretName "key" "ca.crt") -}}
{{- $_ := set $values "scheme" "https" -}}
{{- $_ := set $values "tlsConfig" ($values.tlsConfig | default (dict "ca" $ca "serverName" $service)) -}}
{{- end -}}
{{- if and .auth.enabled (not (hasKey $values.endpoint "authorization")) -}}
{{- $token := dict "bearerTokenFile" "/var/run/secrets/kubernetes.io/serviceaccount/token" -}}
{{- $_ := set $values "endpoint" (merge (deepCopy $values.endpoint) $token) -}}
{{- end -}}
{{- end -}}
{{- toYaml $values -}}
{{- end -}}

{{/* The part of an endpoint that people tune. */}}
{{- define "paycert.scrape" -}}
path: /metrics
scheme: {{ .scheme }}
{{- with .tlsConfig }}
tlsConfig: {{- toYaml . | nindent 2 }}
{{- end }}
{{- if .honorLabels }}
honorLabels: true
{{- end }}
{{- with .interval }}
interval: {{ . }}
{{- end }}
{{- with .scrapeTimeout }}
scrapeTimeout: {{ . }}
{{- end }}
{{- with .relabelings }}
relabelings: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .metricRelabelings }}
metricRelabelings: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .endpoint }}
{{ toYaml . }}
{{- end }}
{{- end -}}
