{{/*
Where the issuer comes from, in this order: keycloak.issuer, global.domain, in-cluster development.
Keys come from keycloak.jwksUrl, else with an explicit issuer from its discovery (unless keycloak.service is written),
else from the service inside the cluster. Never from the public host by a name that was made up.
*/}}
{{- define "doorward.keycloak" -}}
{{- include "doorward.values" . -}}
{{- $v := .Values.__doorward -}}
{{- $kc := $v.keycloak -}}
{{- $service := $kc.service | default (printf "http://keycloak.%s.svc.%s:8080" .Release.Namespace $v.clusterDomain) -}}
{{- $found := dict "from" "development" "issuer" (printf "%s/realms/%s" $service $kc.realm) "allowInsecureHttp" (hasPrefix "http:" $service) -}}
{{- if $kc.issuer -}}
{{- $found = dict "from" "issuer" "issuer" $kc.issuer -}}
{{- else if $v.global.domain -}}
{{- $found = dict "from" "domain" "issuer" (printf "https://keycloak.%s/realms/%s" $v.global.domain $kc.realm) -}}
{{- end -}}
{{- $inside := or (ne $found.from "issuer") (ne $kc.service "") -}}
{{- if and $inside (ne $found.from "development") }}{{ $_ := set $found "internalUrl" $service }}{{ end -}}
{{- if $kc.jwksUrl -}}
{{- $_ := set $found "jwksUrl" $kc.jwksUrl -}}
{{- else if $inside -}}
{{- $realm := (urlParse $found.issuer).path | trimSuffix "/" -}}
{{- $base := (urlParse $service).path | trimSuffix "/" -}}
{{- $origin := trimSuffix $base $service -}}
{{- $_ := set $found "jwksUrl" (printf "%s%s/protocol/openid-connect/certs" (hasPrefix (printf "%s/" $base) $realm | ternary $origin $service) $realm) -}}
{{- end -}}
{{- toYaml $found -}}
{{- end -}}

{{/* "true" where the person wrote a provider of their own, so that `keycloak` says nothing. */}}
{{- define "doorward.ownProvider" -}}
{{- include "doorward.values" . -}}
{{- $config := .Values.__doorward.config | default dict -}}
{{- $provider := $config.provider | default dict -}}
{{- if or $config.providers $provider.issuer (has ($provider.kind | default "keycloak") (list "github" "oidc")) }}true{{ end -}}
{{- end -}}

{{/* `provider` of the file; nothing where there is none. */}}
{{- define "doorward.provider" -}}
{{- include "doorward.values" . -}}
{{- $v := .Values.__doorward -}}
{{- $config := $v.config | default dict -}}
{{- $provider := deepCopy ($config.provider | default dict) -}}
{{- if not (include "doorward.ownProvider" .) -}}
{{- if $v.keycloak.signIn -}}
{{- $kc := include "doorward.keycloak" . | fromYaml -}}
{{- $provider = merge $provider (dict "kind" "keycloak" "clientId" $v.keycloak.clientId "issuer" $kc.issuer) -}}
{{- range $key := list "internalUrl" "jwksUrl" -}}
{{- if and (get $kc $key) (not (hasKey $provider $key)) }}{{ $_ := set $provider $key (get $kc $key) }}{{ end -}}
{{- end -}}
{{- else -}}
{{- $provider = dict -}}
{{- end -}}
{{- end -}}
{{- if and $provider (not $provider.clientSecret) (include "doorward.secretName" (dict "root" . "which" "client")) -}}
{{- $_ := set $provider "clientSecret" (include "doorward.secretRef" (dict "root" . "which" "client") | fromYaml) -}}
{{- end -}}
{{- if $provider }}{{ toYaml $provider }}{{ end -}}
{{- end -}}
