//! scp over loopback, to compare with: a server of its own, with keys of its own, in a folder.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

const SERVER: &str = "/usr/sbin/sshd";
const PATIENCE: Duration = Duration::from_secs(5);

/// Megabytes a second of copying a file by scp.
pub(super) fn rate(file: &Path, folder: &Path) -> Result<f64> {
    install()?;
    for key in ["host", "user"] {
        let path = folder.join(key);
        let made = Command::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-f"])
            .arg(&path)
            .status()?;
        if !made.success() {
            bail!("ssh-keygen made no key");
        }
    }
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let _server = Server::start(folder, port)?;
    let copy = folder.join("copy.bin");
    let bytes = fs::metadata(file)?.len() as f64;
    let begin = Instant::now();
    let status = Command::new("scp")
        .arg("-q")
        .args(["-P", &port.to_string(), "-i"])
        .arg(folder.join("user"))
        .args([
            "-o",
            "StrictHostKeyChecking=no",
            "-o",
            "UserKnownHostsFile=/dev/null",
        ])
        .args(["-o", "LogLevel=ERROR"])
        .arg(file)
        .arg(format!("127.0.0.1:{}", copy.display()))
        .status()?;
    let took = begin.elapsed();
    fs::remove_file(&copy).context("scp copied nothing")?;
    if !status.success() {
        bail!("scp failed");
    }
    Ok(bytes / 1e6 / took.as_secs_f64())
}

fn install() -> Result<()> {
    if Path::new(SERVER).exists() {
        return Ok(());
    }
    let status = Command::new("apt-get")
        .args(["install", "--quiet", "--yes", "openssh-server"])
        .stdout(Stdio::null())
        .status()?;
    if !status.success() {
        bail!("openssh-server cannot be installed here");
    }
    Ok(())
}

struct Server(Child);

impl Server {
    fn start(folder: &Path, port: u16) -> Result<Self> {
        // The server insists on this folder.
        fs::create_dir_all("/run/sshd")?;
        let keys = folder.join("user.pub");
        let child = Command::new(SERVER)
            .args(["-D", "-e", "-f", "/dev/null", "-p", &port.to_string(), "-h"])
            .arg(folder.join("host"))
            .args(["-o", "ListenAddress=127.0.0.1", "-o", "StrictModes=no"])
            .args(["-o", "Subsystem=sftp internal-sftp"])
            .args(["-o", &format!("AuthorizedKeysFile={}", keys.display())])
            .stderr(Stdio::null())
            .spawn()?;
        let server = Self(child);
        let begin = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            if begin.elapsed() > PATIENCE {
                bail!("sshd does not listen");
            }
            sleep(Duration::from_millis(20));
        }
        Ok(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
