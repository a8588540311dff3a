{{/* Everything that would start and be wrong, or not start at all, refused before it is installed. */}}
{{- define "doorward.validate" -}}
{{- include "doorward.values" . -}}
{{- $v := .Values.__doorward -}}
{{- $config := $v.config | default dict -}}
{{- $store := ($config.session | default dict).store | default "memory" -}}
{{- $own := include "doorward.ownProvider" . -}}
{{- if not $config.publicUrl }}{{ fail "doorward: config.publicUrl is missing: write where browsers reach it, https://auth.example.com" }}{{ end -}}
{{- if not $config.routes }}{{ fail "doorward: config.routes is missing: write at least one, for example - allow: signedIn" }}{{ end -}}
{{- if and (has $v.mode (list "forward-auth")) (not $config.trustedProxies) }}{{ fail "doorward: config.trustedProxies is missing: in mode forward-auth nobody else may ask; write the addresses of the ingress pods, for example [10.42.0.7]" }}{{ end -}}
{{- if and $v.extAuthz.enabled (not $config.trustedProxies) }}{{ fail "doorward: config.trustedProxies is missing: nobody else may ask on extAuthz; write the addresses of the gateway" }}{{ end -}}
{{- if eq $v.mode "proxy" -}}
{{- range $index, $route := $config.routes -}}
{{- if not (or $route.upstream (hasKey $route "respond") $v.extAuthz.enabled) }}{{ fail (printf "doorward: config.routes[%d] has no upstream, and in mode proxy there is nothing else to let people through to" $index) }}{{ end -}}
{{- end -}}
{{- end -}}
{{- if and (eq $store "memory") (or (gt (int $v.replicas) 1) $v.autoscaling.enabled) }}{{ fail "doorward: config.session.store is memory, which one pod alone can use: write cookie or redis, or replicas: 1 and autoscaling.enabled: false" }}{{ end -}}
{{- if and (eq $store "redis") (not $config.redis) }}{{ fail "doorward: config.session.store is redis, and config.redis is missing: write config.redis.url: redis://redis:6379" }}{{ end -}}
{{- if and $config.redis (not (or $config.redis.url $config.redis.sentinels $config.redis.cluster)) }}{{ fail "doorward: config.redis names no server: write url, sentinels or cluster" }}{{ end -}}
{{- if eq $store "cookie" -}}
{{- range $index, $route := $config.routes -}}
{{- if regexMatch "\\{(accessToken|idToken)\\}" (toJson ($route.headers | default dict)) }}{{ fail (printf "doorward: config.routes[%d].headers passes a token on, which config.session.store: cookie does not keep: write memory or redis" $index) }}{{ end -}}
{{- end -}}
{{- end -}}
{{- if and $own (or $v.keycloak.issuer $v.keycloak.jwksUrl $v.keycloak.service) }}{{ fail "doorward: config.provider names a provider of its own beside keycloak.issuer, service or jwksUrl: keep one of the two" }}{{ end -}}
{{- if and $config.provider $config.providers }}{{ fail "doorward: config.provider stands beside config.providers: keep one of the two" }}{{ end -}}
{{- if and $v.keycloak.jwksUrl (hasPrefix "http:" $v.keycloak.jwksUrl) -}}
{{- $host := (urlParse $v.keycloak.jwksUrl).host -}}
{{- if and (ne $host (urlParse ($v.keycloak.service | default "")).host) (not (regexMatch "^(localhost|127[.0-9]+|\\[::1\\])(:|$)" $host)) (not $config.allowInsecureHttp) }}{{ fail "doorward: keycloak.jwksUrl is plain http: write https, or name the same server in keycloak.service" }}{{ end -}}
{{- end -}}
{{- include "doorward.validateSecrets" . -}}
{{- include "doorward.validatePlaceholders" . -}}
{{- include "doorward.validateGateway" . -}}
{{- include "doorward.validateImpersonation" . -}}
{{- $drain := include "doorward.drainSeconds" . | int -}}
{{- if and (gt (int $v.terminationGracePeriodSeconds) 0) (le (int $v.terminationGracePeriodSeconds) $drain) }}{{ fail (printf "doorward: terminationGracePeriodSeconds is %d, and config.limits.drainDelay and drainTimeout together are %d: requests would be cut; write more, or 0" (int $v.terminationGracePeriodSeconds) $drain) }}{{ end -}}
{{- end -}}

{{- define "doorward.validateSecrets" -}}
{{- $root := . -}}
{{- include "doorward.values" . -}}
{{- $v := .Values.__doorward -}}
{{- $makeOne := "make one with: openssl rand -hex 32" -}}
{{- range $which := list "session" "client" "redis" -}}
{{- $entry := get $v.secrets $which -}}
{{- $at := printf "doorward: secrets.%s" $which -}}
{{- if and $entry.existingSecret $entry.value }}{{ fail (printf "%s has existingSecret and value: keep one of the two" $at) }}{{ end -}}
{{- if and $entry.value (not (trim $entry.value)) }}{{ fail (printf "%s.value is empty; %s" $at $makeOne) }}{{ end -}}
{{- $found := true -}}
{{- if $entry.existingSecret -}}
{{- $old := lookup "v1" "Secret" $root.Release.Namespace $entry.existingSecret -}}
{{- $found = not (empty $old) -}}
{{- if $old -}}
{{- if not (hasKey ($old.data | default dict) $entry.key) }}{{ fail (printf "%s: the Secret %s has no key %s" $at $entry.existingSecret $entry.key) }}{{ end -}}
{{- end -}}
{{- end -}}
{{- if and $found (or $entry.existingSecret $entry.value) -}}
{{- $text := trim (include "doorward.visibleSecret" (dict "root" $root "which" $which)) -}}
{{- if not $text }}{{ fail (printf "%s is empty; %s" $at $makeOne) }}{{ end -}}
{{- if regexMatch "^(\\$[A-Za-z_][\\w.-]*(:[\\w./-]+)?|\\$\\{[^{}]*\\})$" $text }}{{ fail (printf "%s is a placeholder nobody replaced; %s" $at $makeOne) }}{{ end -}}
{{- if eq $which "session" -}}
{{- if lt (len $text) 32 }}{{ fail (printf "%s has fewer than 32 characters; %s" $at $makeOne) }}{{ end -}}
{{- if lt (len (uniq (splitList "" $text))) 7 }}{{ fail (printf "%s repeats itself, so it can be guessed; %s" $at $makeOne) }}{{ end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- include "doorward.validateTexts" . -}}
{{- $provider := include "doorward.provider" . | fromYaml -}}
{{- $auth := $provider.clientAuth | default "" -}}
{{- $method := kindIs "map" $auth | ternary (get (kindIs "map" $auth | ternary $auth dict) "method") $auth -}}
{{- if and $provider (not $provider.clientSecret) (not (has $method (list "none" "private_key_jwt"))) }}{{ fail "doorward: secrets.client is empty: name the Secret with the client's secret in secrets.client.existingSecret, or write config.provider.clientAuth: none for a public client" }}{{ end -}}
{{- if eq $v.secrets.delivery "file" -}}
{{- $paths := list -}}
{{- range $which := list "session" "client" "redis" -}}
{{- if include "doorward.secretName" (dict "root" $root "which" $which) }}{{ $paths = append $paths (get $v.secrets $which).key }}{{ end -}}
{{- end -}}
{{- range $v.secrets.files }}{{ $paths = append $paths .name }}{{ end -}}
{{- if ne (len $paths) (len (uniq $paths)) }}{{ fail (printf "doorward: two secrets would be the same file: %s; give them keys or names of their own" (join ", " $paths)) }}{{ end -}}
{{- end -}}
{{- end -}}

{{/* A secret written as text under `config` would stand in a ConfigMap, for everybody to read. */}}
{{- define "doorward.validateTexts" -}}
{{- include "doorward.values" . -}}
{{- $config := .Values.__doorward.config | default dict -}}
{{- $places := dict "session.secret" (($config.session).secret) "provider.clientSecret" (($config.provider).clientSecret) "redis.password" (($config.redis).password) "redis.sentinels.password" ((($config.redis).sentinels).password) "assertion.keys" (($config.assertion).keys) "tls.key" (($config.tls).key) -}}
{{- range $name, $provider := $config.providers | default dict }}{{ $_ := set $places (printf "providers.%s.clientSecret" $name) $provider.clientSecret }}{{ end -}}
{{- range $index, $route := $config.routes | default list }}{{ $_ := set $places (printf "routes[%d].basicAuth.password" $index) (($route.basicAuth).password) }}{{ end -}}
{{- range $place, $written := $places -}}
{{- range kindIs "slice" $written | ternary $written (list $written) -}}
{{- if kindIs "string" . }}{{ fail (printf "doorward: config.%s is written as text, and would stand in a ConfigMap: use secrets, or { file: ... } with secrets.files" $place) }}{{ end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* `$name` and `$name:key` anywhere in the file: another tool should have filled it in. */}}
{{- define "doorward.validatePlaceholders" -}}
{{- include "doorward.values" . -}}
{{- $v := .Values.__doorward -}}
{{- $found := regexFind "\"\\$[A-Za-z_][\\w.-]*(:[\\w./-]+)?\"" (toJson (dict "config" $v.config "keycloak" $v.keycloak "global" (pick $v.global "domain"))) -}}
{{- if $found }}{{ fail (printf "doorward: %s was not replaced by the tool that fills in the values" $found) }}{{ end -}}
{{- end -}}

{{- define "doorward.validateGateway" -}}
{{- include "doorward.values" . -}}
{{- $v := .Values.__doorward -}}
{{- if and $v.apps (ne $v.mode "forward-auth") }}{{ fail "doorward: apps is for mode forward-auth: in mode proxy write routes with upstream" }}{{ end -}}
{{- if and $v.apps (not $v.gateway.kind) }}{{ fail "doorward: apps needs gateway.kind: nginx, traefik, envoy-gateway or istio" }}{{ end -}}
{{- if eq $v.gateway.kind "istio" -}}
{{- if not $v.extAuthz.enabled }}{{ fail "doorward: gateway.kind istio asks over gRPC: write extAuthz.enabled: true" }}{{ end -}}
{{- range $v.apps }}{{ if not .selector }}{{ fail (printf "doorward: apps %s needs selector, the labels of its pods, for Istio" .name) }}{{ end }}{{ end -}}
{{- end -}}
{{- if and $v.apps (has $v.gateway.kind (list "envoy-gateway" "istio")) (not $v.httpRoute.parentRefs) }}{{ fail "doorward: httpRoute.parentRefs is empty: name the Gateway, - name: public" }}{{ end -}}
{{- if and $v.httpRoute.enabled (not $v.httpRoute.parentRefs) }}{{ fail "doorward: httpRoute.parentRefs is empty: name the Gateway, - name: public" }}{{ end -}}
{{- end -}}

{{/* Whoever asks in people's names needs a token of its own; without one every request would be 503. */}}
{{- define "doorward.validateImpersonation" -}}
{{- include "doorward.values" . -}}
{{- $v := .Values.__doorward -}}
{{- $mounted := $v.serviceAccount.automountToken -}}
{{- range $v.extraVolumeMounts }}{{ if eq (trimSuffix "/" .mountPath) "/var/run/secrets/kubernetes.io/serviceaccount" }}{{ $mounted = true }}{{ end }}{{ end -}}
{{- if and (ne $v.mode "sidecar") (not $mounted) -}}
{{- range $index, $route := ($v.config).routes | default list -}}
{{- if and $route.impersonate (not ($route.impersonate).tokenFile) }}{{ fail (printf "doorward: config.routes[%d].impersonate needs the token of the service account: write serviceAccount.automountToken: true" $index) }}{{ end -}}
{{- end -}}
{{- end -}}
{{- end -}}
