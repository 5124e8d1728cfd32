//! The shell: one loop per repository, the outbox runner, timers and the reconciler.
