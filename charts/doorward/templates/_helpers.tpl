{{/*
Puts values into .Values.__doorward, once in a rendering, with what a release of an older chart did not know
(--reuse-values). Writes nothing; whoever changes a part copies it first.
*/}}
{{- define "doorward.values" -}}
{{- if not (hasKey .Values "__doorward") -}}
{{- $defaults := .Files.Get "files/defaults.yaml" | fromYaml -}}
{{- $values := deepCopy .Values -}}
{{- range $key, $fallback := $defaults -}}
{{- if or (not (hasKey $values $key)) (kindIs "invalid" (get $values $key)) }}{{ $_ := set $values $key $fallback }}{{ end -}}
{{- end -}}
{{/* Maps with known keys, two levels deep; what is passed on to Kubernetes stays as written. */}}
{{- range $key := list "global" "keycloak" "secrets" "image" "ports" "extAuthz" "gateway" "ingress" "httpRoute" "service" "networkPolicy" "podDisruptionBudget" "autoscaling" "serviceMonitor" "serviceAccount" "tests" -}}
{{- $map := get $values $key -}}
{{- range $inner, $fallback := get $defaults $key -}}
{{- if not (hasKey $map $inner) }}{{ $_ := set $map $inner $fallback }}{{ else if and (kindIs "map" $fallback) (kindIs "map" (get $map $inner)) }}{{ $_ := set $map $inner (merge (get $map $inner) $fallback) }}{{ end -}}
{{- end -}}
{{- end -}}
{{- $_ := set .Values "__doorward" $values -}}
{{- end -}}
{{- end -}}

{{- define "doorward.name" -}}
{{- .Values.nameOverride | default "doorward" | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "doorward.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- $name := include "doorward.name" . -}}
{{- (contains $name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name $name)) | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "doorward.selector" -}}
app.kubernetes.io/name: {{ include "doorward.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "doorward.labels" -}}
{{ include "doorward.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- with .Values.labels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "doorward.serviceAccount" -}}
{{- include "doorward.values" . -}}
{{- $account := .Values.__doorward.serviceAccount -}}
{{- $account.name | default ($account.create | ternary (include "doorward.fullname" .) "default") -}}
{{- end -}}

{{- define "doorward.image" -}}
{{- include "doorward.values" . -}}
{{- $image := .Values.__doorward.image -}}
{{- if $image.digest }}{{ $image.repository }}@{{ $image.digest }}{{ else }}{{ $image.repository }}:{{ $image.tag | default .Chart.AppVersion }}{{ end -}}
{{- end -}}

{{/* Host of the Service that the ingress asks, inside the cluster. */}}
{{- define "doorward.host" -}}
{{- include "doorward.values" . -}}
{{- $v := .Values.__doorward -}}
{{ include "doorward.fullname" . }}-internal.{{ .Release.Namespace }}.svc.{{ $v.clusterDomain }}
{{- end -}}

{{- define "doorward.basePath" -}}
{{- include "doorward.values" . -}}
{{- (.Values.__doorward.config).basePath | default "/_doorward" -}}
{{- end -}}

{{/* Addresses of publicUrl, as a list under `urls`. */}}
{{- define "doorward.publicUrls" -}}
{{- include "doorward.values" . -}}
{{- $url := (.Values.__doorward.config).publicUrl -}}
{{- dict "urls" (kindIs "slice" $url | ternary $url (list $url)) | toYaml -}}
{{- end -}}

{{/* Seconds of a duration: 500ms, 90s, 1h30m. */}}
{{- define "doorward.seconds" -}}
{{- $total := 0 -}}
{{- range regexFindAll "[0-9]+(ms|s|m|h|d)" (toString .) -1 -}}
{{- $number := regexFind "^[0-9]+" . | int -}}
{{- $unit := regexFind "[a-z]+$" . -}}
{{- if eq $unit "ms" }}{{ $total = add $total (div (add $number 999) 1000) }}{{ else }}{{ $total = add $total (mul $number (get (dict "s" 1 "m" 60 "h" 3600 "d" 86400) $unit)) }}{{ end -}}
{{- end -}}
{{- $total -}}
{{- end -}}

{{/* After SIGTERM: time until the listeners close, and until the last request has to be done. */}}
{{- define "doorward.drainSeconds" -}}
{{- include "doorward.values" . -}}
{{- $limits := (.Values.__doorward.config).limits | default dict -}}
{{- add (include "doorward.seconds" ($limits.drainDelay | default "0s") | int) (include "doorward.seconds" ($limits.drainTimeout | default "30s") | int) -}}
{{- end -}}

{{/* Where a person of a host signs in: there, or at the first public address. Takes root and host. */}}
{{- define "doorward.loginUrl" -}}
{{- $urls := (include "doorward.publicUrls" .root | fromYaml).urls -}}
{{- $origin := first $urls -}}
{{- $host := .host -}}
{{- range $urls }}{{ if eq (urlParse .).host $host }}{{ $origin = . }}{{ end }}{{ end -}}
{{ trimSuffix "/" $origin }}{{ include "doorward.basePath" .root }}/login
{{- end -}}
