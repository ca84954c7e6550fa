"""The generation step: from `spec/openapi.yaml` to `generated/`, with nothing dropped on the way."""
