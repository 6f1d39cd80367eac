//! SECURITY.md, "Local interfaces": both servers are for our own user only, whatever the mode of a file is.

use crate::{loopback::LoopbackFixture, support::Fixture};
use std::{
    fs,
    io::Write,
    os::unix::{
        fs::{MetadataExt, PermissionsExt, chown},
        net::UnixListener,
        process::CommandExt,
    },
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};
use tokenry_api::servers::{Error, serve_socket};
use tokenry_engine::Engine;

/// A user id that is not ours.
const OTHER_UID: u32 = 65_534;

/// Connects, sends its standard input and prints what comes back.
const CLIENT: &str = r#"
use Socket;
$| = 1;
$SIG{PIPE} = 'IGNORE';
my ($kind, $where) = @ARGV;
my $unix = $kind eq 'unix';
socket(S, $unix ? PF_UNIX : PF_INET, SOCK_STREAM, 0) or die $!;
connect(S, $unix ? sockaddr_un($where) : sockaddr_in($where, INADDR_LOOPBACK)) or die "no way there: $!";
print "there\n";
syswrite(S, join('', <STDIN>));
print while sysread(S, $_, 4096);
"#;

/// Holds as many connections as it gets, opens more all the time, and ends with its standard input.
const FLOOD: &str = r#"
use Socket;
$| = 1;
my ($port) = @ARGV;
my @all;
my $until = time + 60;
my $said = 0;
while (time < $until) {
    socket(my $s, PF_INET, SOCK_STREAM, 0) or last;
    connect($s, sockaddr_in($port, INADDR_LOOPBACK)) or last;
    push @all, $s;
    shift @all if @all > 500;
    print "there\n" if @all == 500 && !$said++;
}
"#;

/// The user that runs a program of a test.
#[derive(Clone, Copy, PartialEq)]
enum User {
    Us,
    Another,
}

/// `program`, to be run by this user.
///
/// # Panics
/// If the test cannot run as another user: then it would show nothing, and must not pass.
fn run_by(user: User, program: &str) -> Command {
    if user == User::Us {
        return Command::new(program);
    }
    if rustix::process::geteuid().is_root() {
        let mut command = Command::new(program);
        command.uid(OTHER_UID).gid(OTHER_UID);
        return command;
    }
    let mut command = Command::new("sudo");
    command.args(["-n", "-u", &format!("#{OTHER_UID}"), program]);
    let works = Command::new("sudo").args(["-n", "true"]).status();
    assert!(
        works.is_ok_and(|status| status.success()),
        "that another user is turned away is only shown as root, or with a sudo that asks nothing"
    );
    command
}

/// Gives a file to the user with this number.
fn give(path: &Path, to: u32) {
    if rustix::process::geteuid().is_root() {
        return chown(path, Some(to), Some(to)).unwrap();
    }
    let given = Command::new("sudo")
        .args(["-n", "chown", "-h", &to.to_string()])
        .arg(path)
        .status();
    assert!(
        given.is_ok_and(|status| status.success()),
        "that another user's file is left alone is only shown as root, or with a sudo that asks nothing"
    );
}

/// The response that this user gets. `there` alone is a connection that was closed without a response.
async fn heard(user: User, kind: &str, place: &str, request: &str) -> String {
    let mut command = run_by(user, "perl");
    command
        .args(["-e", CLIENT, kind, place])
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let request = request.to_owned();
    let heard = tokio::task::spawn_blocking(move || {
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(request.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    });
    let heard = heard.await.unwrap();
    String::from_utf8(heard.stdout).unwrap()
}

async fn events(engine: &Engine) -> usize {
    engine
        .events(&tokenry_core::Caller::Ui, None, 500)
        .await
        .unwrap()
        .0
        .len()
}

#[tokio::test(flavor = "multi_thread")]
async fn another_user_gets_no_response_from_the_socket_even_if_its_mode_allows_it() {
    let fixture = Fixture::new().await;
    let server = serve_socket(fixture.engine.clone(), &fixture.socket())
        .await
        .unwrap();
    for (path, mode) in [
        (fixture.folder.path(), 0o755),
        (&fixture.folder.path().join("p"), 0o755),
        (&fixture.socket(), 0o666),
    ] {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }
    let place = server.path().to_str().unwrap();
    let request = "POST /v1/lock HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let before = events(&fixture.engine).await;
    assert_eq!(heard(User::Another, "unix", place, request).await, "there\n");
    assert_eq!(events(&fixture.engine).await, before);
    let status = request.replace("POST /v1/lock", "GET /v1/status");
    let ours = heard(User::Us, "unix", place, &status).await;
    assert!(ours.starts_with("there\nHTTP/1.1 200"), "{ours}");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_user_gets_no_response_from_the_loopback_server_even_with_its_token() {
    let loopback = LoopbackFixture::open().await;
    let place = loopback.port.to_string();
    let request = loopback.request("GET", "/v1/status", &[]);
    assert_eq!(heard(User::Another, "tcp", &place, &request).await, "there\n");
    let ours = heard(User::Us, "tcp", &place, &request).await;
    assert!(ours.starts_with("there\nHTTP/1.1 200"), "{ours}");
}

/// SECURITY.md, "Local interfaces": another user's flood of the port does not hold up our own programs.
#[tokio::test(flavor = "multi_thread")]
async fn another_users_flood_of_the_loopback_server_delays_ours_by_under_a_second() {
    let loopback = LoopbackFixture::open().await;
    let mut command = run_by(User::Another, "perl");
    command
        .args(["-e", FLOOD, &loopback.port.to_string()])
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    let mut flood = command.spawn().unwrap();
    let mut first = [0; 6];
    std::io::Read::read_exact(flood.stdout.as_mut().unwrap(), &mut first).unwrap();
    let mut slowest = Duration::ZERO;
    for _ in 0..10 {
        let begun = Instant::now();
        let heard = loopback.say(&loopback.request("GET", "/v1/status", &[])).await;
        assert_eq!(heard.status, 200, "{heard:?}");
        slowest = slowest.max(begun.elapsed());
    }
    flood.kill().unwrap();
    flood.wait().unwrap();
    assert!(slowest < Duration::from_secs(3), "{slowest:?}");
}

/// A process of another user that has bound our path first does not become our engine, and keeps its socket.
#[tokio::test]
async fn a_socket_of_another_user_at_our_path_is_left_alone() {
    let fixture = Fixture::new().await;
    let run = fixture.folder.path().join("run");
    fs::create_dir(&run).unwrap();
    fs::set_permissions(&run, fs::Permissions::from_mode(0o700)).unwrap();
    let path = run.join("engine.sock");
    drop(UnixListener::bind(&path).unwrap());
    give(&path, OTHER_UID);
    let error = serve_socket(fixture.engine.clone(), &path).await.err().unwrap();
    assert!(
        matches!(error, Error::NotOurs { what, .. } if what.contains("another user")),
        "{error}"
    );
    assert_eq!(fs::metadata(&path).unwrap().uid(), OTHER_UID);

    give(&run, OTHER_UID);
    let answer = serve_socket(fixture.engine.clone(), &run.join("other.sock")).await;
    // Without root it could not be removed with the rest.
    give(&run, rustix::process::geteuid().as_raw());
    let error = answer.err().unwrap();
    if rustix::process::geteuid().is_root() {
        assert!(
            matches!(error, Error::OpenFolder { what, .. } if what.contains("another user")),
            "{error}"
        );
    } else {
        // Another user than root cannot even look into the folder.
        assert!(matches!(error, Error::Io { .. }), "{error}");
    }
}
