//! Every decision, as state machines without IO, clock, threads or randomness of their own.
