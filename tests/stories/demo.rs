//! The demo plays its whole story by itself, also where there is no bubblewrap.

use std::process::{Command, Output};

const PROGRAM: &str = env!("CARGO_BIN_EXE_paprq");
const ARGUMENTS: [&str; 4] = ["demo", "--script", "--port", "0"];

fn assert_ended_well(output: &Output) {
    let told = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}\n{errors}");
    for said in [
        ":sunny: Test successful",
        ":broken_heart: Test failed",
        ":lock: Merge conflict",
        ":sunny: Try build successful",
        "The base branch ended where it must.",
    ] {
        assert!(told.contains(said), "{said}\n{told}");
    }
}

#[test]
fn the_script_ends_with_the_base_where_it_must_be() {
    assert_ended_well(&Command::new(PROGRAM).args(ARGUMENTS).output().unwrap());
}

#[test]
fn without_bubblewrap_the_demo_runs_its_own_suites_and_says_so() {
    // In a namespace of its own, nothing is where bubblewrap was.
    let hide = "mount --bind /dev/null \"$(command -v bwrap)\" && exec \"$@\"";
    let output = Command::new("unshare")
        .args([
            "--map-root-user",
            "--mount",
            "sh",
            "-c",
            hide,
            "sh",
            PROGRAM,
        ])
        .args(ARGUMENTS)
        .output();
    let output = output.expect("the package util-linux");
    assert_ended_well(&output);
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(told.contains("without a sandbox"), "{told}");
}
