//! The binary: hands the command line to the library.

fn main() -> perf_expert::exit::Exit {
    perf_expert::run(std::env::args_os())
}
