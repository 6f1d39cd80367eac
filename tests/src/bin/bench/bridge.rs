//! `tokenry-bridge` between the official SDK's client and server of MCP, and between callers and an API.

use crate::proc::{children, name, pss};
use crate::report::Row;
use crate::sample::Sample;
use crate::stage::{MACHINE, Stage, connect_machines, label};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Builder, scope, sleep};
use std::time::Duration;
use tokenry_e2e::accounts::{PASSPHRASE, token};
use tokenry_e2e::mcp::{script, with_browser};
use tokenry_e2e::process::{Running, program};
use tokenry_e2e::profile::Profile;

const CALLS: usize = 1000;
const AT_ONCE: usize = 1000;
/// How long each of them is held by the API.
const HOLD: Duration = Duration::from_millis(500);
const STREAM_BYTES: usize = 100 << 20;
/// Until what was needed for a moment is given back.
const SETTLE: Duration = Duration::from_secs(10);
/// How often the memory of the bridge is looked at.
const POLL_INTERVAL: Duration = Duration::from_millis(5);
/// The aims of its memory, in MiB.
const IDLE_AIM: f64 = 8.0;
const BUSY_AIM: f64 = 20.0;

pub(crate) fn measure() -> Vec<Row> {
    mcp().into_iter().chain(proxy()).collect()
}

/// `tokenry mcp` beside a client that speaks to the server itself.
fn mcp() -> Vec<Row> {
    let mut profile = Profile::headless();
    with_browser(&mut profile);
    let _engine = profile.serve_with_passphrase(PASSPHRASE);
    let mut server = script(&profile, "server.mjs", &[]);
    let ready: Value = serde_json::from_str(&server.line()).unwrap();
    let url = format!("{}/mcp", ready["address"].as_str().unwrap());
    let tokenry = program("tokenry");
    let command = [tokenry.to_str().unwrap(), "mcp", &url];
    let mut client = script(&profile, "bench_client.mjs", &command);
    let bridge = told(&mut client)["ready"].as_u64().unwrap();
    let bridge = Watched::new(u32::try_from(bridge).unwrap());
    let connections = profile.tokenry(&["--json", "list"]).success().json();
    let token = token(&profile, connections[0]["name"].as_str().unwrap());

    let calls = json!({"measure": "calls", "url": url, "token": token, "count": CALLS});
    let times = ask(&mut client, &calls);
    let [direct, bridged] = ["direct", "bridged"].map(|kind| -> Sample {
        let times = times[kind].as_array().unwrap().iter();
        times
            .map(|time| Duration::from_secs_f64(time.as_f64().unwrap() / 1e3))
            .collect()
    });
    sleep(SETTLE);
    let idle = pss(bridge.id);
    let held =
        bridge.during(|| assert_eq!(ask(&mut client, &json!({"measure": "held"}))["answers"], AT_ONCE));
    let stream = bridge.during(|| {
        assert_eq!(
            ask(&mut client, &json!({"measure": "stream"}))["bytes"],
            STREAM_BYTES
        )
    });
    vec![
        Row::beyond(
            "a call through `tokenry mcp`, beyond the SDK's own client",
            &bridged,
            &[("direct", &direct)],
            1.0,
        ),
        Row::count("`tokenry mcp`, idle: memory (PSS)", idle, "MiB", IDLE_AIM),
        Row::count("the same with 1,000 calls at once", held, "MiB", BUSY_AIM),
        Row::count("the same with 100 MiB of messages", stream, "MiB", BUSY_AIM),
    ]
}

fn told(client: &mut Running) -> Value {
    let line = client.line_within(Duration::from_secs(300));
    serde_json::from_str(&line.unwrap_or_else(|| panic!("no answer; {}", client.stderr()))).unwrap()
}

fn ask(client: &mut Running, what: &Value) -> Value {
    client.write(&format!("{what}\n"));
    told(client)
}

/// `tokenry proxy` with many callers, and with one large answer.
fn proxy() -> Vec<Row> {
    let stage = Stage::build();
    connect_machines(stage.open(), 1..2);
    let connection = format!("{MACHINE}/{}", label(1));
    let api = api();
    let bind = ["bind", &api, "--connection", &connection];
    stage.profile.tokenry(&bind).success();
    let mut proxy = stage
        .profile
        .tokenry_running(&["proxy", &connection, "--to", &api]);
    let told: Value = serde_json::from_str(&proxy.line()).unwrap();
    let [url, token] = ["url", "token"].map(|name| told[name].as_str().unwrap().to_owned());
    let address = url.trim_start_matches("http://");
    let request = |path: &str| {
        format!(
            "GET {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n"
        )
    };
    let read = |path: &str| {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(request(path).as_bytes()).unwrap();
        std::io::copy(&mut stream, &mut std::io::sink()).unwrap()
    };
    assert!(read("/bytes/1") > 0);
    let bridge = Watched::new(proxy.id());
    sleep(SETTLE);
    let idle = pss(bridge.id);
    let held = bridge.during(|| {
        scope(|scope| {
            for _ in 0..AT_ONCE {
                let caller = Builder::new().stack_size(64 << 10);
                caller.spawn_scoped(scope, || assert!(read("/held") > 0)).unwrap();
            }
        });
    });
    let stream = bridge.during(|| assert!(read(&format!("/bytes/{STREAM_BYTES}")) > STREAM_BYTES as u64));
    vec![
        Row::count("`tokenry proxy`, idle: memory (PSS)", idle, "MiB", IDLE_AIM),
        Row::count("the same with 1,000 callers at once", held, "MiB", BUSY_AIM),
        Row::count("the same with an answer of 100 MiB", stream, "MiB", BUSY_AIM),
    ]
}

/// An API that gives so many bytes, and holds other requests for a while. It ends with this program.
fn api() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let server = Builder::new().stack_size(64 << 10);
            server.spawn(move || serve(&stream)).unwrap();
        }
    });
    format!("http://{address}")
}

fn serve(mut stream: &TcpStream) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream).lines();
    while let Some(first) = lines.next() {
        let first = first?;
        while lines
            .next()
            .is_some_and(|line| line.is_ok_and(|line| !line.is_empty()))
        {}
        let path = first.split(' ').nth(1).unwrap_or_default();
        let size = match path.strip_prefix("/bytes/") {
            Some(size) => size.parse().unwrap(),
            None => {
                sleep(HOLD);
                1
            }
        };
        write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n")?;
        std::io::copy(&mut std::io::repeat(b'x').take(size), &mut stream)?;
    }
    Ok(())
}

/// A bridge whose memory is watched.
struct Watched {
    id: u32,
}

impl Watched {
    /// The bridge that this process is, or started.
    fn new(id: u32) -> Self {
        let bridge = children(id).into_iter().find(|id| name(*id) == "tokenry-bridge");
        Self {
            id: bridge.expect("a bridge runs"),
        }
    }

    /// The most memory that it had while this was done, in MiB.
    fn during(&self, work: impl FnOnce()) -> f64 {
        let is_over = AtomicBool::new(false);
        scope(|scope| {
            let most = scope.spawn(|| {
                let mut most = 0_f64;
                while !is_over.load(Ordering::Relaxed) {
                    most = most.max(pss(self.id));
                    sleep(POLL_INTERVAL);
                }
                most
            });
            work();
            is_over.store(true, Ordering::Relaxed);
            most.join().unwrap()
        })
    }
}
