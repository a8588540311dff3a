{{/* The file itself: what the person wrote under `config`, and what the chart knows better. */}}
{{- define "doorward.config" -}}
{{- include "doorward.values" . -}}
{{- $v := .Values.__doorward -}}
{{- $config := deepCopy ($v.config | default dict) -}}
{{- $own := include "doorward.ownProvider" . -}}
{{- $kc := include "doorward.keycloak" . | fromYaml -}}
{{- $_ := set $config "version" 1 -}}
{{- $_ := set $config "listen" (printf "%s:%d" $v.listenHost (int $v.ports.http)) -}}
{{- $_ := set $config "operations" (printf "%s:%d" $v.listenHost (int $v.ports.operations)) -}}
{{- if eq $v.mode "forward-auth" }}{{ $_ := set $config "forwardAuth" (printf "%s:%d" $v.listenHost (int $v.ports.forwardAuth)) }}{{ end -}}
{{- if $v.extAuthz.enabled }}{{ $_ := set $config "extAuthz" (printf "%s:%d" $v.listenHost (int $v.ports.extAuthz)) }}{{ end -}}
{{- $provider := include "doorward.provider" . | fromYaml -}}
{{- if $provider }}{{ $_ := set $config "provider" $provider }}{{ else }}{{ $_ := unset $config "provider" }}{{ end -}}
{{- if and (not $own) $kc.allowInsecureHttp (or $v.keycloak.signIn $v.keycloak.audience) }}{{ $_ := set $config "allowInsecureHttp" true }}{{ end -}}
{{- if $v.keycloak.audience -}}
{{- $bearer := merge (dict "issuer" $kc.issuer "audience" $v.keycloak.audience) (pick $kc "internalUrl" "jwksUrl") -}}
{{- $_ := set $config "bearer" (concat (list $bearer) ($config.bearer | default list)) -}}
{{- end -}}
{{- $session := $config.session | default dict -}}
{{- if not $session.secret }}{{ $_ := set $session "secret" (include "doorward.secretRef" (dict "root" . "which" "session") | fromYaml) }}{{ end -}}
{{- $_ := set $config "session" $session -}}
{{- if and $config.redis (include "doorward.secretName" (dict "root" . "which" "redis")) -}}
{{- $_ := set $config.redis "password" (include "doorward.secretRef" (dict "root" . "which" "redis") | fromYaml) -}}
{{- end -}}
{{- toYaml $config -}}
{{- end -}}

{{/* Names the ingress has to copy from our answer, sorted, as a list under `names`. */}}
{{- define "doorward.responseHeaders" -}}
{{- include "doorward.values" . -}}
{{- $config := .Values.__doorward.config | default dict -}}
{{- $sets := dict
  "default" (list "X-Auth-User" "X-Auth-Subject" "X-Auth-Email" "X-Auth-Groups")
  "oauth2-proxy" (list "X-Forwarded-User" "X-Forwarded-Email" "X-Forwarded-Groups" "X-Forwarded-Preferred-Username" "X-Auth-Request-User" "X-Auth-Request-Email" "X-Auth-Request-Groups" "X-Auth-Request-Preferred-Username")
  "authelia" (list "Remote-User" "Remote-Groups" "Remote-Name" "Remote-Email")
  "authentik" (list "X-authentik-username" "X-authentik-groups" "X-authentik-email" "X-authentik-name" "X-authentik-uid")
  "none" list -}}
{{- $fallback := $config.identityHeaders | default "default" -}}
{{- $names := list -}}
{{- range $config.routes | default list -}}
{{- $names = concat $names (get $sets (.identityHeaders | default $fallback) | default list) (keys (.headers | default dict)) -}}
{{- end -}}
{{- if hasKey $config "assertion" }}{{ $names = append $names (($config.assertion).header | default "X-Auth-Assertion") }}{{ end -}}
{{- dict "names" ($names | uniq | sortAlpha) | toYaml -}}
{{- end -}}
