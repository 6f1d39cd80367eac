//! Mail programs get their tokens from Tokenry: msmtp, isync, neomutt and aerc at dovecot, which checks them by introspection.
#![allow(clippy::unwrap_used)]

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;
use tokenry_e2e::accounts::{PASSPHRASE, add, connect_at_sandbox, connection, sandbox_provider, token};
use tokenry_e2e::process::{Finished, Running, program, wait_for};
use tokenry_e2e::profile::Profile;
use tokenry_e2e::python;
use tokenry_e2e::readme::block;
use tokenry_e2e::sandbox::{self, CONFIDENTIAL, SERVICE, Sandbox};
use tokenry_e2e::terminal::Terminal;

const MESSAGE: &str = "From: ada@example.com\nTo: grace@example.com\nSubject: sent with a token\n\nHello\n";

struct Stage {
    profile: Profile,
    /// The account's name at the mail server.
    user: String,
    imap_port: u16,
    submission_port: u16,
    _sandbox: Sandbox,
    _engine: Running,
    _sink: Running,
    _dovecot: Running,
}

impl Stage {
    /// A connection `mail`, whose tokens dovecot takes. What is sent comes back into the sender's own inbox.
    fn new() -> Self {
        let (sandbox, mut profile) = (Sandbox::start(), Profile::headless());
        let ours = program("tokenry").parent().unwrap().to_owned();
        let path = std::env::var_os("PATH").unwrap();
        let path = std::iter::once(ours).chain(std::env::split_paths(&path));
        profile.set("PATH", std::env::join_paths(path).unwrap());
        let engine = profile.serve_with_passphrase(PASSPHRASE);
        let mut provider = sandbox_provider(&sandbox, "mail");
        provider["client_secret"] = sandbox.client_secret(CONFIDENTIAL).into();
        add(&profile, &provider).success();
        connect_at_sandbox(&profile, &sandbox, &["mail"], "ada").success();
        let account = &connection(&profile, "mail")["account"];
        let user = account["subject"].as_str().unwrap().to_owned();

        let folder = profile.scratch().join("dovecot");
        let inbox = folder.join("mail").join(&user);
        let mut sink = python::command("python", profile.env());
        sink.arg("-B")
            .arg(sandbox::support().join("mail/sink.py"))
            .arg(inbox);
        let mut sink = Running::start(sink);
        let (imap_port, submission_port) = (free_port(), free_port());
        let introspection = sandbox.endpoint("introspection_endpoint");
        let mut introspection = introspection.clone();
        introspection.set_username(SERVICE).unwrap();
        introspection
            .set_password(Some(sandbox.client_secret(SERVICE)))
            .unwrap();
        // It refuses to log in, and to read mail, as root. What does that instead must reach its sockets.
        let login = match id(&["-un"]).as_str() {
            "root" => "dovenull".to_owned(),
            user => user.to_owned(),
        };
        std::fs::set_permissions(profile.scratch(), PermissionsExt::from_mode(0o711)).unwrap();
        let words = [
            ("FOLDER", folder.to_str().unwrap().to_owned()),
            ("USER", id(&["-un"])),
            ("LOGGROUP", id(&["-gn", &login])),
            ("GROUP", id(&["-gn"])),
            ("LOGIN", login),
            ("IMAP_PORT", imap_port.to_string()),
            ("SUBMISSION_PORT", submission_port.to_string()),
            ("SINK_PORT", sink.line()),
            ("INTROSPECTION", introspection.into()),
        ];
        std::fs::create_dir_all(folder.join("mail")).unwrap();
        std::fs::set_permissions(folder.join("mail"), PermissionsExt::from_mode(0o777)).unwrap();
        for file in ["dovecot.conf", "oauth2.conf"] {
            let text = std::fs::read_to_string(sandbox::support().join("mail").join(file)).unwrap();
            let filled = words
                .iter()
                .fold(text, |text, (word, value)| text.replace(word, value));
            std::fs::write(folder.join(file), filled).unwrap();
        }
        let mut dovecot = Command::new("/usr/sbin/dovecot");
        dovecot
            .env_clear()
            .envs(profile.env())
            .arg("-F")
            .arg("-c")
            .arg(folder.join("dovecot.conf"));
        let dovecot = Running::start(dovecot);
        for port in [imap_port, submission_port] {
            wait_for("dovecot", || {
                std::net::TcpStream::connect(("127.0.0.1", port)).ok()
            });
        }
        Self {
            profile,
            user,
            imap_port,
            submission_port,
            _sandbox: sandbox,
            _engine: engine,
            _sink: sink,
            _dovecot: dovecot,
        }
    }

    /// A configuration of the README, for this server and without TLS.
    fn configured(&self, language: &str, more: &str) -> PathBuf {
        let text = block(language, "tokenry token")
            .replace("imap.example.com", "127.0.0.1")
            .replace("smtp.example.com", "127.0.0.1")
            .replace("user me@example.com", &format!("user {}", self.user))
            .replace("User me@example.com", &format!("User {}", self.user))
            .replace("tokenry token gmail", "tokenry token mail");
        let file = self.profile.scratch().join(language);
        std::fs::write(&file, format!("{text}\n{more}\n")).unwrap();
        std::fs::set_permissions(&file, PermissionsExt::from_mode(0o600)).unwrap();
        file
    }

    fn run(&self, name: &str, arguments: &[&str], input: &str) -> Finished {
        let mut command = Command::new(name);
        command
            .env_clear()
            .envs(self.profile.env())
            .current_dir(self.profile.scratch())
            .args(arguments);
        let mut running = Running::start(command);
        running.write(input);
        running.wait()
    }

    fn msmtp(&self) -> Finished {
        let more = format!("port {}\ntls off\n", self.submission_port);
        let file = self.configured("msmtprc", &more);
        self.run(
            "msmtp",
            &["-C", file.to_str().unwrap(), "-a", "work", "grace@example.com"],
            MESSAGE,
        )
    }

    fn mbsync(&self) -> Finished {
        let text = block("mbsyncrc", "tokenry token");
        assert!(text.contains("SSLType IMAPS\n"));
        let file = self.configured("mbsyncrc", "");
        let text = std::fs::read_to_string(&file).unwrap();
        let text = text
            .replace(
                "SSLType IMAPS\n",
                &format!("SSLType None\nPort {}\n", self.imap_port),
            )
            .replace("~/", &format!("{}/", self.profile.scratch().display()));
        std::fs::write(&file, text).unwrap();
        std::fs::create_dir_all(self.profile.scratch().join("Mail")).unwrap();
        self.run("mbsync", &["-c", file.to_str().unwrap(), "work"], "")
    }
}

fn id(options: &[&str]) -> String {
    let mut id = Command::new("id");
    id.args(options);
    Running::start(id).wait().success().stdout.trim().to_owned()
}

fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0))
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

/// The texts of the messages in a folder of a maildir.
fn messages(folder: PathBuf) -> Vec<String> {
    let files = std::fs::read_dir(folder).into_iter().flatten();
    files
        .map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap())
        .collect()
}

#[test]
fn msmtp_sends_and_isync_reads_with_a_token() {
    let stage = Stage::new();
    let sent = stage.msmtp().success();
    let read = stage.mbsync().success();
    let texts = messages(stage.profile.scratch().join("Mail/INBOX/new"));
    assert!(
        texts.len() == 1 && texts[0].contains("sent with a token"),
        "{texts:?}"
    );
    let token = token(&stage.profile, "mail");
    for said in [&sent, &read] {
        assert!(!said.stdout.contains(&token) && !said.stderr.contains(&token));
    }
}

#[test]
fn neomutt_sends_with_a_token() {
    let stage = Stage::new();
    let file = stage.configured(
        "neomuttrc",
        "set ssl_force_tls = no\nset ssl_starttls = no\nunset record\n",
    );
    let text = std::fs::read_to_string(&file).unwrap();
    let text = text
        .replace(
            "smtps://127.0.0.1",
            &format!("smtp://127.0.0.1:{}", stage.submission_port),
        )
        .replace(
            "imaps://127.0.0.1",
            &format!("imap://127.0.0.1:{}", stage.imap_port),
        )
        .replace(
            "_user = \"me@example.com\"",
            &format!("_user = \"{}\"", stage.user),
        );
    std::fs::write(&file, text).unwrap();
    let arguments = [
        "-n",
        "-F",
        file.to_str().unwrap(),
        "-s",
        "sent with a token",
        "grace@example.com",
    ];
    let sent = stage.run("neomutt", &arguments, "Hello\n");
    assert_eq!(sent.code, 0, "{sent:?}");
    stage.mbsync().success();
    let texts = messages(stage.profile.scratch().join("Mail/INBOX/new"));
    assert!(
        texts.len() == 1 && texts[0].contains("sent with a token"),
        "{sent:?} {texts:?}"
    );
}

#[test]
fn aerc_reads_with_a_token() {
    let stage = Stage::new();
    stage.msmtp().success();
    let text = block("aerc", "tokenry token")
        .replace("imaps+oauthbearer://", "imap+oauthbearer+insecure://")
        .replace(
            "me%40example.com@imap.example.com",
            &format!("{}@127.0.0.1:{}", stage.user, stage.imap_port),
        )
        .replace("tokenry token gmail", "tokenry token mail");
    let config = stage.profile.scratch().join("config/aerc");
    std::fs::create_dir_all(&config).unwrap();
    let accounts = config.join("accounts.conf");
    std::fs::write(&accounts, text).unwrap();
    std::fs::set_permissions(&accounts, PermissionsExt::from_mode(0o600)).unwrap();
    let mut aerc = Command::new("aerc");
    aerc.env_clear()
        .envs(stage.profile.env())
        .env("XDG_CONFIG_HOME", stage.profile.scratch().join("config"))
        .env("TERM", "xterm")
        .current_dir(stage.profile.scratch());
    let aerc = Terminal::start(&aerc);
    // The list of messages has no room for the whole subject.
    aerc.shows("sent with a tok");
}

#[test]
fn a_mail_program_without_a_token_shows_what_to_do() {
    let stage = Stage::new();
    stage
        .profile
        .tokenry(&["revoke", "--connection", "mail"])
        .success();
    for failed in [stage.msmtp(), stage.mbsync()] {
        assert_ne!(failed.code, 0, "{failed:?}");
        assert!(failed.stderr.contains("tokenry connect mail"), "{failed:?}");
    }
}
