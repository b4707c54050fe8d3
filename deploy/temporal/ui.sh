#!/bin/sh
# The user interface's settings from the environment, written where a read-only container may write.
#
# TEMPORAL_CODEC_ENDPOINT: address of a codec endpoint that shows payloads to those who may see them. Empty: payloads stay
# encrypted on the screen, which is enough to watch and repair processes.
set -eu

mkdir -p /tmp/ui
cat > /tmp/ui/phis.yaml <<SETTINGS
temporalGrpcAddress: "${TEMPORAL_ADDRESS}"
port: ${TEMPORAL_UI_PORT}
enableUi: true
defaultNamespace: "${TEMPORAL_DEFAULT_NAMESPACE}"
notifyOnNewVersion: false
disableWriteActions: ${TEMPORAL_DISABLE_WRITE_ACTIONS:-true}
cors:
  allowOrigins: ["http://127.0.0.1:${TEMPORAL_UI_PORT}"]
  cookieInsecure: true
codec:
  endpoint: "${TEMPORAL_CODEC_ENDPOINT:-}"
  passAccessToken: false
  includeCredentials: ${TEMPORAL_CODEC_INCLUDE_CREDENTIALS:-false}
SETTINGS

exec /home/ui-server/ui-server --root /tmp --config ui --env phis start
