{{/* What `$…` in files/alerts.yaml becomes, as JSON: what is replaced, and by what. In this order: a name may begin with another. */}}
{{- define "paycert.alertWords" -}}
{{- $labels := .Values.prometheusRule.additionalAggregationLabels -}}
{{- $more := "" -}}
{{- range $labels }}{{ $more = printf "%s, %s" $more . }}{{ end -}}
{{- $keys := `{{ with printf "count by (role, key_id) (last_over_time(%s[1h]))" %s | query }} Keys:{{ range $i, $key := . | sortByLabel "key_id" }}{{ if $i }},{{ end }} {{ $key.Labels.role }} {{ $key.Labels.key_id }}{{ end }}.{{ end }}` -}}
{{- $current := `paycert_key_info{namespace='%s',credential='%s'` -}}
{{- $stored := `paycert_stored_key_info{credential_namespace='%s',credential='%s'` -}}
{{- $where := `$labels.namespace $labels.credential` -}}
{{- $role := `,role='%s'` -}}
{{- $words := list
      (list "$storedKeysOfRole" (printf $keys (printf "%s%s}" $stored $role) (printf "%s $labels.role" $where)))
      (list "$storedKeys" (printf $keys (printf "%s}" $stored) $where))
      (list "$keysOfRole" (printf $keys (printf "%s%s}" $current $role) (printf "%s $labels.role" $where)))
      (list "$keys" (printf $keys (printf "%s}" $current) $where))
      (list "$sinceLoaded" `{{ with printf "min(paycert_reload_last_success_timestamp_seconds{namespace='%s',credential='%s'})" $labels.namespace $labels.credential | query }}, of {{ . | first | value | humanizeTimestamp }},{{ end }}`)
      (list "$suspended" `{{ with printf "paycert:suspended_since_timestamp_seconds{namespace='%s',credential='%s'}" $labels.namespace $labels.credential | query }} Its PaymentCredential is suspended since {{ . | first | value | humanizeTimestamp }}.{{ end }}`)
      (list "$watches" `{{ with printf "count by (source) (paycert_watch_failing{namespace='%s'} == 1)" $labels.namespace | query }} Which:{{ range $i, $watch := . | sortByLabel "source" }}{{ if $i }},{{ end }} {{ $watch.Labels.source }}{{ end }}.{{ end }}`)
      (list "$firing" (printf `"count by (alertname) (ALERTS{alertname=~'%[1]sPaycert.+',alertname!='%[1]sPaycertIncident',alertstate='firing',level='L1',namespace='%%s',credential='%%s'})"` .Values.prometheusRule.alertNamePrefix))
      (list "$prefix" .Values.prometheusRule.alertNamePrefix)
      (list "$runbook" .Values.prometheusRule.runbookUrl)
      (list "$more" $more)
      (list "$only" (join ", " $labels))
      (list "$minimum" (toString .Values.prometheusRule.minimumOperations))
      (list "$replaced" ($.Files.Get "files/roles.yaml" | fromYaml).replaced)
      (list "$container" .Values.podMonitor.container)
      (list "$operatorNamespace" (include "paycert.namespace" .))
      (list "$lease" (include "paycert.leaseName" .))
-}}
{{- toJson $words -}}
{{- end -}}

{{/* A text of files/alerts.yaml in its final words: (list words days text). In what `$seen(…)` becomes, `$$` is a `$`. */}}
{{- define "paycert.alertText" -}}
{{- $seen := `(${1} or last_over_time(${1}[10m]) and on (job, instance, pod$$more) paycert:sidecar_away)` -}}
{{- $text := regexReplaceAll `\$seen\((\w+(?:\{[^}]*\})?)\)` (index . 2) $seen -}}
{{- $text = $text | replace "$days" (toString (index . 1)) -}}
{{- range index . 0 }}{{ $text = $text | replace (index . 0) (index . 1) }}{{ end -}}
{{- trim $text -}}
{{- end -}}
