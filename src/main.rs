//! The program: parses the command line, nothing else.

fn main() -> std::process::ExitCode {
    paprq::cli::run()
}
