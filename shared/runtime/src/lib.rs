//! Clock, entropy, telemetry, configuration and shutdown of Issue Mirror.
