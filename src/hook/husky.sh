# .husky/pre-push
cargo perf-expert verify --hook pre-push --max-time 90s
