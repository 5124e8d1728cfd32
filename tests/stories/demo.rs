//! The demo plays its whole story by itself, also where there is no bubblewrap.

use std::process::{Command, Output};

use crate::log::faults;

const PROGRAM: &str = env!("CARGO_BIN_EXE_paprq");
const ARGUMENTS: [&str; 4] = ["demo", "--script", "--port", "0"];

fn assert_ended_well(output: &Output) {
    let told = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}\n{errors}");
    let faults: Vec<&str> = faults(errors.lines()).collect();
    assert_eq!(faults, [""; 0], "{told}\n{errors}");
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

#[test]
fn a_port_that_is_taken_is_told_of_with_the_one_that_is_used() {
    // Two neighbours that somebody else has.
    let (taken, _next) = (0..50)
        .find_map(|_| {
            let first = std::net::TcpListener::bind(("127.0.0.1", 0)).ok()?;
            let port = first.local_addr().ok()?.port().checked_add(1)?;
            let second = std::net::TcpListener::bind(("127.0.0.1", port)).ok()?;
            Some((first, second))
        })
        .unwrap();
    let port = taken.local_addr().unwrap().port();
    let output = Command::new(PROGRAM)
        .args(["demo", "--script", "--port", &port.to_string()])
        .output()
        .unwrap();
    assert_ended_well(&output);
    let told = String::from_utf8_lossy(&output.stdout);
    let server = format!("Port {port} is taken: the server is at http://127.0.0.1:");
    assert!(told.contains(&server), "{told}");
    let practice = format!("Port {} is taken: the practice GitHub is at", port + 1);
    assert!(told.contains(&practice), "{told}");
}
