{{- define "voice-agent.fullname" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "voice-agent.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "voice-agent.labels" -}}
{{ include "voice-agent.selector" . }}
app.kubernetes.io/version: {{ .Values.image.tag | default .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "voice-agent.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{- define "voice-agent.secret" -}}
{{- .Values.existingSecret | default (printf "%s-secrets" (include "voice-agent.fullname" .)) -}}
{{- end -}}

{{- define "voice-agent.agents" -}}
{{- if .Values.existingAgents -}}
{{- .Values.existingAgents -}}
{{- else if .Values.agents -}}
{{- printf "%s-agents" (include "voice-agent.fullname" .) -}}
{{- end -}}
{{- end -}}

{{- define "voice-agent.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default (include "voice-agent.fullname" .) -}}
{{- else -}}
{{- .Values.serviceAccount.name | default "default" -}}
{{- end -}}
{{- end -}}

{{- define "voice-agent.host" -}}
{{- get (urlParse .Values.publicUrl) "hostname" -}}
{{- end -}}

{{/* Goodbyes take 8 s, what is left after them some seconds more: docs/operating.md, "Stopping". */}}
{{- define "voice-agent.grace" -}}
{{- add .Values.drain.before .Values.drain.seconds 25 -}}
{{- end -}}

{{/* Kind of what runs the pods: what scales them names it. */}}
{{- define "voice-agent.kind" -}}
{{- if .Values.persistence.enabled -}}StatefulSet{{- else -}}Deployment{{- end -}}
{{- end -}}

{{/* What the schema cannot say of values that are right one by one. */}}
{{- define "voice-agent.check" -}}
{{- if and .Values.secrets .Values.existingSecret -}}
{{- fail "secrets and existingSecret: give one of them" -}}
{{- end -}}
{{- if not (or .Values.existingSecret (hasKey .Values.secrets "VOICE_AGENT_DATABASE")) -}}
{{- fail "secrets.VOICE_AGENT_DATABASE: the address of a PostgreSQL is needed, or existingSecret with it: pods share nothing else" -}}
{{- end -}}
{{- if and .Values.agents .Values.existingAgents -}}
{{- fail "agents and existingAgents: give one of them" -}}
{{- end -}}
{{- if and .Values.ingress.enabled .Values.gateway.enabled -}}
{{- fail "ingress.enabled and gateway.enabled: enable one of them" -}}
{{- end -}}
{{- if ne .Values.autoscaling.by "none" -}}
{{- if ge (int .Values.autoscaling.callsPerPod) (int .Values.maxCalls) -}}
{{- fail "autoscaling.callsPerPod: less than maxCalls, or pods are full before there is another" -}}
{{- end -}}
{{- if gt (int .Values.autoscaling.min) (int .Values.autoscaling.max) -}}
{{- fail "autoscaling.min: no more than autoscaling.max" -}}
{{- end -}}
{{- end -}}
{{- if regexMatch `(?mi)^[^#\n]*((secret|token|password|api_?key|access_key|authorization|[._-]keys)["']?\s*=|^\s*(keys|database)["']?\s*=|postgres(ql)?://)` .Values.config -}}
{{- fail "config: a secret stands in it, and it becomes a ConfigMap: put it into secrets or existingSecret, by its variable (VOICE_AGENT_SINCH__APPLICATION_SECRET and the like)" -}}
{{- end -}}
{{- range $name, $_ := .Values.env -}}
{{- if regexMatch `(SECRET|TOKEN|PASSWORD|_KEYS?|DATABASE|ACCESS_KEY_ID)$` $name -}}
{{- fail (printf "env.%s: put secrets into secrets or existingSecret" $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
