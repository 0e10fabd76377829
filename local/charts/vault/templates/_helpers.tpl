{{/* Owns the names and labels that the other templates share. */}}

{{- define "labels" -}}
app.kubernetes.io/name: vault
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "server.selector" -}}
app.kubernetes.io/name: vault
app.kubernetes.io/instance: {{ .Release.Name }}
component: server
{{- end }}

{{- define "injector.name" -}}
{{ .Release.Name }}-agent-injector
{{- end }}

{{- define "injector.selector" -}}
app.kubernetes.io/name: vault-agent-injector
app.kubernetes.io/instance: {{ .Release.Name }}
component: webhook
{{- end }}

{{/* One claim template of the StatefulSet, from its name and its `…Storage` values. */}}
{{- define "claim" -}}
- apiVersion: v1
  kind: PersistentVolumeClaim
  metadata:
    name: {{ .name }}
  spec:
    accessModes: [{{ .storage.accessMode }}]
    {{- with .storage.storageClass }}
    storageClassName: {{ . }}
    {{- end }}
    resources:
      requests:
        storage: {{ .storage.size }}
{{- end }}

{{/* The API and Raft ports of every Service. */}}
{{- define "server.ports" -}}
- name: https
  port: 8200
  targetPort: 8200
- name: https-internal
  port: 8201
  targetPort: 8201
{{- end }}
