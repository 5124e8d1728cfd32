//! Closes the addresses at which clouds tell a machine its own credentials: a container has a way to
//! all that its machine reaches, so to them as well.
//!
//! The route goes into the container's own network, from outside; nothing in the container has the
//! right to take it away. An engine on another machine, and a machine without `ip`, leave it open.

use std::fs;
use std::net::IpAddr;
use std::process::Stdio;
use std::time::Duration;

use bollard::Docker;
use bollard::query_parameters::InspectContainerOptions;
use tokio::process::Command;

/// AWS, Azure, Google, Hetzner and others; the credentials of tasks of ECS; AWS over IPv6.
const ADDRESSES: [&str; 3] = ["169.254.169.254", "169.254.170.2", "fd00:ec2::254"];
/// How long one program may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why an address is still open.
#[derive(Debug, thiserror::Error)]
pub(super) enum StillOpen {
    /// Its processes are not to be seen here.
    #[error("the engine is not on this machine")]
    Elsewhere,
    /// Names are asked for there, too: Google's machines do so.
    #[error("{0} is the machine's name server")]
    NameServer(&'static str),
    /// The network cannot be entered or changed.
    #[error("`ip route` in the container's network: {0}")]
    Program(String),
}

/// Closes them for a container that has started.
///
/// # Errors
/// If one of IPv4's stays open; the others may be closed.
pub(super) async fn close(docker: &Docker, name: &str) -> Result<(), StillOpen> {
    let process = process_of(docker, name).await.ok_or(StillOpen::Elsewhere)?;
    let servers = fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
    for address in ADDRESSES {
        if name_servers(&servers).any(|server| address.parse() == Ok(server)) {
            return Err(StillOpen::NameServer(address));
        }
        let closed = add_route(process, address).await;
        if !address.contains(':') {
            closed?;
        }
    }
    Ok(())
}

/// The first process of the container, if it is one of this machine's and surely the container's.
pub(super) async fn process_of(docker: &Docker, name: &str) -> Option<i64> {
    let options = None::<InspectContainerOptions>;
    let about = docker.inspect_container(name, options).await.ok()?;
    let process = about.state?.pid.filter(|&number| number > 0)?;
    let groups = fs::read_to_string(format!("/proc/{process}/cgroup")).ok()?;
    let own = fs::read_link("/proc/self/ns/net").ok()?;
    let its = fs::read_link(format!("/proc/{process}/ns/net")).ok()?;
    (groups.contains(&about.id?) && own != its).then_some(process)
}

fn name_servers(file: &str) -> impl Iterator<Item = IpAddr> {
    file.lines()
        .filter_map(|line| line.trim().strip_prefix("nameserver")?.trim().parse().ok())
}

async fn add_route(process: i64, address: &str) -> Result<(), StillOpen> {
    let failed = |error: &dyn std::fmt::Display| StillOpen::Program(error.to_string());
    let mut command = Command::new("nsenter");
    command.arg(format!("--target={process}"));
    // Without root the right to change the network comes from the container's own users.
    if !rustix::process::geteuid().is_root() {
        command.args(["--user", "--preserve-credentials"]);
    }
    command
        .args(["--net", "--", "ip", "route", "add", "blackhole", address])
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let done = tokio::time::timeout(PATIENCE, command.output()).await;
    let done = done.map_err(|elapsed| failed(&elapsed))?;
    let done = done.map_err(|error| failed(&error))?;
    if done.status.success() {
        return Ok(());
    }
    Err(failed(&String::from_utf8_lossy(&done.stderr).trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_servers_are_read_as_the_resolver_reads_them() {
        let file =
            "# nameserver 1.1.1.1\nsearch a.b\nnameserver 169.254.169.254\n nameserver\tfd00::1 \n";
        let servers: Vec<IpAddr> = name_servers(file).collect();
        let expected = ["169.254.169.254", "fd00::1"].map(|text| text.parse::<IpAddr>().unwrap());
        assert_eq!(servers, expected);
    }
}
