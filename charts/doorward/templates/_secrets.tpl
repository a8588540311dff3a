{{/*
Name of the Secret that holds one of: session, client, redis; empty where there is none, or where `config` refers to
one of its own. Takes root and which.
*/}}
{{- define "doorward.secretName" -}}
{{- include "doorward.values" .root -}}
{{- $v := .root.Values.__doorward -}}
{{- $entry := get $v.secrets .which -}}
{{- if and (eq .which "session") ((($v.config).session).secret) -}}
{{- else if and (eq .which "redis") (or (not (($v.config).redis)) ((($v.config).redis).password)) -}}
{{- else if $entry.existingSecret -}}
{{- $entry.existingSecret -}}
{{- else if $entry.value -}}
{{- include "doorward.fullname" .root -}}
{{- else if eq .which "session" -}}
{{- include "doorward.fullname" .root }}-session
{{- end -}}
{{- end -}}

{{- define "doorward.secretEnv" -}}
{{- get (dict "session" "DOORWARD_SESSION_SECRET" "client" "DOORWARD_CLIENT_SECRET" "redis" "DOORWARD_REDIS_PASSWORD") . -}}
{{- end -}}

{{/* How the file refers to it. */}}
{{- define "doorward.secretRef" -}}
{{- include "doorward.values" .root -}}
{{- $secrets := .root.Values.__doorward.secrets -}}
{{- if eq $secrets.delivery "env" -}}
env: {{ include "doorward.secretEnv" .which }}
{{- else -}}
file: {{ $secrets.mountPath }}/{{ (get $secrets .which).key }}
{{- end -}}
{{- end -}}

{{/* The generated session secret: the one in the cluster, else a new one, the same all through this rendering. */}}
{{- define "doorward.generatedSession" -}}
{{- $name := printf "%s-session" (include "doorward.fullname" .) -}}
{{- include "doorward.values" . -}}
{{- $key := .Values.__doorward.secrets.session.key -}}
{{- $old := lookup "v1" "Secret" .Release.Namespace $name -}}
{{- if and $old (hasKey ($old.data | default dict) $key) -}}
{{- get $old.data $key | b64dec -}}
{{- else -}}
{{- if not (hasKey .Values "__doorwardSession") }}{{ $_ := set .Values "__doorwardSession" (randAlphaNum 48) }}{{ end -}}
{{- .Values.__doorwardSession -}}
{{- end -}}
{{- end -}}

{{/* Everything the folder of secrets is made from. */}}
{{- define "doorward.secretSources" -}}
{{- $root := . -}}
{{- include "doorward.values" . -}}
{{- $secrets := .Values.__doorward.secrets -}}
{{- if eq $secrets.delivery "file" -}}
{{- range $which := list "session" "client" "redis" -}}
{{- with include "doorward.secretName" (dict "root" $root "which" $which) }}
- secret:
    name: {{ . }}
    items:
      - { key: {{ (get $secrets $which).key | quote }}, path: {{ (get $secrets $which).key | quote }} }
{{- end -}}
{{- end -}}
{{- end -}}
{{- range $secrets.files }}
- secret:
    name: {{ .existingSecret }}
    items:
      - { key: {{ .key | quote }}, path: {{ .name | quote }} }
{{- end -}}
{{- end -}}

{{/* Text of a secret as far as Helm can see it; empty where it cannot. */}}
{{- define "doorward.visibleSecret" -}}
{{- include "doorward.values" .root -}}
{{- $entry := get .root.Values.__doorward.secrets .which -}}
{{- if $entry.existingSecret -}}
{{- $old := lookup "v1" "Secret" .root.Release.Namespace $entry.existingSecret | default dict -}}
{{- get ($old.data | default dict) $entry.key | default "" | b64dec -}}
{{- else if $entry.value -}}
{{- $entry.value -}}
{{- else if eq .which "session" -}}
{{- include "doorward.generatedSession" .root -}}
{{- end -}}
{{- end -}}
