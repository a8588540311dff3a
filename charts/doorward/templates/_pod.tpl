{{/*
The container, for the chart's own pods and for yours. In a chart that depends on this one:
{{ include "doorward.sidecar" .Subcharts.doorward | nindent 8 }} under `containers`, and
{{ include "doorward.sidecar.volumes" .Subcharts.doorward | nindent 8 }} under `volumes`.
*/}}
{{- define "doorward.sidecar" -}}
{{- $root := . -}}
{{- include "doorward.values" . -}}
{{- $v := .Values.__doorward -}}
- name: doorward
  image: {{ include "doorward.image" . | quote }}
  imagePullPolicy: {{ $v.image.pullPolicy }}
  args: [serve, --config, /etc/doorward/config.yaml]
  ports:
    - { name: http, containerPort: {{ int $v.ports.http }} }
    {{- if eq $v.mode "forward-auth" }}
    - { name: forward-auth, containerPort: {{ int $v.ports.forwardAuth }} }
    {{- end }}
    {{- if $v.extAuthz.enabled }}
    - { name: ext-authz, containerPort: {{ int $v.ports.extAuthz }} }
    {{- end }}
    - { name: operations, containerPort: {{ int $v.ports.operations }} }
  {{- $env := list -}}
  {{- if eq $v.secrets.delivery "env" -}}
  {{- range $which := list "session" "client" "redis" -}}
  {{- with include "doorward.secretName" (dict "root" $root "which" $which) -}}
  {{- $env = append $env (dict "name" (include "doorward.secretEnv" $which) "valueFrom" (dict "secretKeyRef" (dict "name" . "key" (get $v.secrets $which).key))) -}}
  {{- end -}}
  {{- end -}}
  {{- end -}}
  {{- with concat $env $v.extraEnv }}
  env:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  startupProbe:
    httpGet: { path: /healthz, port: operations }
    periodSeconds: 1
    failureThreshold: 30
  livenessProbe:
    httpGet: { path: /healthz, port: operations }
    periodSeconds: 10
    timeoutSeconds: 5
  readinessProbe:
    httpGet: { path: /readyz, port: operations }
    periodSeconds: 5
    timeoutSeconds: 3
  {{- with $v.resources }}
  resources:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $v.securityContext }}
  securityContext:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  volumeMounts:
    - { name: doorward-config, mountPath: /etc/doorward, readOnly: true }
    {{- if include "doorward.secretSources" . }}
    - { name: doorward-secrets, mountPath: {{ $v.secrets.mountPath }}, readOnly: true }
    {{- end }}
    {{- with $v.extraVolumeMounts }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end -}}

{{/* Whole folders, no subPath: so that a running process sees a change. */}}
{{- define "doorward.sidecar.volumes" -}}
{{- include "doorward.values" . -}}
{{- $v := .Values.__doorward -}}
- name: doorward-config
  configMap:
    name: {{ include "doorward.fullname" . }}
    items:
      - { key: config.yaml, path: config.yaml }
{{- with include "doorward.secretSources" . }}
- name: doorward-secrets
  projected:
    defaultMode: {{ 288 }} # 0440
    sources:
      {{- . | trim | nindent 6 }}
{{- end }}
{{- with $v.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* What a running process cannot take over; a change of it has to restart the pods. */}}
{{- define "doorward.annotations" -}}
{{- $root := . -}}
{{- include "doorward.values" . -}}
{{- $v := .Values.__doorward -}}
{{- $config := include "doorward.config" . | fromYaml -}}
checksum/start: {{ pick $config "listen" "forwardAuth" "extAuthz" "operations" "basePath" "limits" "log" | toJson | sha256sum }}
{{- if eq $v.secrets.delivery "env" }}
{{- $texts := dict -}}
{{- range $which := list "session" "client" "redis" -}}
{{- $name := include "doorward.secretName" (dict "root" $root "which" $which) -}}
{{- $_ := set $texts $which (list $name (include "doorward.visibleSecret" (dict "root" $root "which" $which))) -}}
{{- end }}
checksum/secrets: {{ toJson $texts | sha256sum }}
{{- end }}
{{- with $v.podAnnotations }}
{{ toYaml . }}
{{- end }}
{{- end -}}
