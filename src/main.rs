//! regi: starts the command line.

fn main() -> std::process::ExitCode {
    regi::cli::main()
}
