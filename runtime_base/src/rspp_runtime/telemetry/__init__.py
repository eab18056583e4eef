"""What a running server says about itself. Nothing here decides, blocks, or holds up a frame.

metrics    figures for Prometheus: of sessions, turns, providers, connections, the loop
session    what one session adds to them
lag        how late the event loop is, and what made it late
traces     a span for each session, turn and call of a provider, for an OpenTelemetry collector
lines      what one session leaves in the log
redaction  what may be seen of a payload, and secrets
otlp       the figures for a collector
logs       lines of JSON with the ids of session and turn, and no word that anybody said
"""
