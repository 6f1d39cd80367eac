//! `tokenry ssh-forward`: runs `ssh` with a socket of the engine that is for that host alone.

use crate::engine::Engine;
use crate::failure::Failure;
use crate::http::Method;
use crate::socket_args::SshForwardArgs;
use std::io::IsTerminal;
use std::process::{Command, ExitStatus};
use tokenry_contract::{ErrorCode, ForwardRequest, ForwardedSocket, profile};

/// Runs `ssh`, and ends with its exit code. The engine closes the socket when this process ends.
pub(crate) fn run(args: &SshForwardArgs, engine: &Engine) -> Result<(), Failure> {
    let request = ForwardRequest {
        host: args.host.clone(),
        connections: args.connections.clone(),
    };
    let opened: ForwardedSocket = engine.send_body(Method::Post, &["v1", "forwards"], &request)?;
    let remote = remote_socket(&opened.path)?;
    let mut ssh = Command::new("ssh");
    if let Some(file) = &args.ssh_config {
        ssh.arg("-F").arg(file);
    }
    // A connection that is shared with others would outlive this one, and take the socket with it.
    ssh.args(["-S", "none", "-o", "ExitOnForwardFailure=yes"]);
    ssh.arg("-R").arg(format!("{remote}:{}", opened.path));
    if args.command.is_empty() && std::io::stdin().is_terminal() {
        ssh.arg("-t");
    }
    ssh.arg("--").arg(&args.host).arg(command(&remote, &args.command));
    let status = ssh.status().map_err(|error| {
        Failure::new(
            ErrorCode::NotFound,
            format!("ssh cannot be started: {error}."),
            "Install OpenSSH's client.",
        )
    })?;
    std::process::exit(exit_code(status))
}

/// The command for the other host's shell, whichever that is: `sh` sets the variable, and removes the socket at the end.
fn command(socket: &str, words: &[String]) -> String {
    let words = match words {
        [] => "\"${SHELL:-/bin/sh}\" -l".to_owned(),
        words => words.join(" "),
    };
    let variable = profile::SOCKET_VARIABLE;
    let script = format!(
        "{variable}={socket}; export {variable}; trap 'rm -f -- {socket}' EXIT; trap 'exit 129' HUP; trap 'exit 143' TERM; {words}"
    );
    format!("exec sh -c {}", quoted(&script))
}

/// One word of every shell that people log in with: `sh`, `csh` and `fish` read a quote and a backslash alike outside of
/// quotes.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Where the socket is on the other host: sshd makes it for its user alone, and its name cannot be guessed, because it is
/// that of the socket here.
fn remote_socket(local: &str) -> Result<String, Failure> {
    let name = local.rsplit('/').next().unwrap_or_default();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-.".contains(c);
    match !name.is_empty() && name.chars().all(is_plain) {
        true => Ok(format!("/tmp/tokenry-{name}")),
        false => Err(Failure::invalid_response(
            "the socket has another name than expected",
        )),
    }
}

fn exit_code(status: ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt;
    status
        .code()
        .unwrap_or_else(|| 128 + status.signal().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_socket_there_has_the_name_of_the_one_here_and_no_other_characters() {
        assert_eq!(
            remote_socket("/run/x/ssh-0a.sock").unwrap(),
            "/tmp/tokenry-ssh-0a.sock"
        );
        for bad in ["", "/run/", "/run/a b", "/run/$x", "/run/x:y"] {
            assert!(remote_socket(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_command_for_the_other_host_is_one_word_of_a_shell_with_the_socket() {
        let command = command("/tmp/x.sock", &["echo".to_owned(), "'a b'".to_owned()]);
        assert_eq!(
            command,
            "exec sh -c 'TOKENRY_SOCKET=/tmp/x.sock; export TOKENRY_SOCKET; trap '\\''rm -f -- /tmp/x.sock'\\'' EXIT; \
             trap '\\''exit 129'\\'' HUP; trap '\\''exit 143'\\'' TERM; echo '\\''a b'\\'''"
        );
        assert!(self::command("/tmp/x.sock", &[]).contains("\"${SHELL:-/bin/sh}\" -l"));
    }
}
