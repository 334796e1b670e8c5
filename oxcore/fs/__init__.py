"""The file system, made safe: atomic writes, fsync, the writer's lock, paths that stay inside."""
