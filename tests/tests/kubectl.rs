//! kubectl gets its tokens from Tokenry: the real kubectl at a small API server that checks each token.
#![allow(clippy::unwrap_used)]

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tokenry_e2e::process::{Finished, Running, program};
use tokenry_e2e::readme::block;
use tokenry_e2e::token_server::TokenServer;

const V1: &str = "client.authentication.k8s.io/v1";
const BETA: &str = "client.authentication.k8s.io/v1beta1";

/// Runs kubectl with this exec entry in its configuration.
fn kubectl(stage: &TokenServer, exec: &Value) -> Finished {
    let mut exec = exec.clone();
    exec["command"] = program("tokenry").to_str().unwrap().into();
    exec["interactiveMode"] = "Never".into();
    exec["env"] = json!([]);
    let cluster =
        json!({"server": stage.said("address"), "certificate-authority": stage.said("certificate")});
    let config = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "c",
        "clusters": [{"name": "c", "cluster": cluster}],
        "users": [{"name": "u", "user": {"exec": exec}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
    });
    let file = stage.profile.scratch().join("kubeconfig");
    std::fs::write(&file, config.to_string()).unwrap();
    // What kubectl knows of a cluster it asks for again after ten minutes. Here it asks each time.
    let _ = std::fs::remove_dir_all(stage.profile.scratch().join("user/.kube"));
    let mut command = stage.command("kubectl");
    command
        .env("KUBECONFIG", &file)
        .args(["get", "pods", "--output", "name"]);
    Running::start(command).wait()
}

/// An exec entry that finds the connection by the cluster's address.
fn by_address(version: &str) -> Value {
    json!({"apiVersion": version, "args": ["kubectl-credential"], "provideClusterInfo": true})
}

/// The newest version that this kubectl has: `v1` came with 1.22.
fn version(stage: &TokenServer) -> &'static str {
    let mut command = stage.command("kubectl");
    command.args(["version", "--client", "--output", "json"]);
    let told = Running::start(command).wait().success().json();
    let minor = told["clientVersion"]["minor"].as_str().unwrap();
    let minor: u32 = minor.trim_end_matches('+').parse().unwrap();
    if minor < 22 { BETA } else { V1 }
}

#[test]
fn kubectl_lists_pods_with_the_token_of_the_connection_that_serves_the_cluster() {
    let stage = TokenServer::start("cluster.py");
    let unbound = kubectl(&stage, &by_address(BETA));
    assert!(
        unbound.code != 0 && unbound.stderr.contains("tokenry bind"),
        "{unbound:?}"
    );
    stage.bind();
    for version in [BETA, version(&stage)] {
        let listed = kubectl(&stage, &by_address(version)).success();
        assert_eq!(listed.stdout, "pod/a-pod\n", "{listed:?}");
    }
    assert_eq!(stage.events("token_rejected"), 0);
}

#[test]
fn kubectl_uses_the_connection_that_the_lines_of_the_readme_name() {
    let stage = TokenServer::start("cluster.py");
    let (address, certificate) = (stage.said("address"), stage.said("certificate"));
    let lines = block("sh", "kubectl-credential").replace("work", &stage.name);
    stage.paste(&format!(
        "kubectl config set-cluster c --server={address} --certificate-authority={certificate}\nkubectl config \
         set-context c --cluster=c\nkubectl config use-context c\n{lines}"
    ))
    .success();
    let listed = stage.paste("kubectl get pods --output name").success();
    assert_eq!(listed.stdout, "pod/a-pod\n", "{listed:?}");
}

#[test]
fn a_kubernetes_client_gets_the_id_token_with_its_own_end() {
    let stage = TokenServer::start("cluster.py");
    let answer = |more: &[&str]| {
        let connection = format!("--connection={}", stage.name);
        let mut command = stage.command(program("tokenry"));
        command
            .env(
                "KUBERNETES_EXEC_INFO",
                json!({"apiVersion": V1, "kind": "ExecCredential"}).to_string(),
            )
            .args([&["kubectl-credential", &connection], more].concat());
        Running::start(command).wait().success().json()
    };
    let (access, id) = (answer(&[]), answer(&["--id-token"]));
    assert_eq!(access["status"]["token"], stage.token());
    for (answer, arguments) in [(&access, vec!["status"]), (&id, vec!["token", "--id-token"])] {
        assert_eq!(
            (&answer["apiVersion"], &answer["kind"]),
            (&V1.into(), &"ExecCredential".into())
        );
        let arguments = [&arguments[..], &[&stage.name, "--json"]].concat();
        let told = stage.profile.tokenry(&arguments).success().json();
        let end = answer["status"]["expirationTimestamp"].as_str().unwrap();
        let told_end = match told["id_token"].as_str() {
            Some(token) => claims(token)["exp"].as_i64().unwrap(),
            None => seconds(told["expires_at"].as_str().unwrap()),
        };
        assert_eq!(seconds(end), told_end, "{answer}");
    }
    assert_ne!(id["status"]["token"], access["status"]["token"]);
}

fn claims(token: &str) -> Value {
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
    serde_json::from_slice(&claims).unwrap()
}

/// A time as seconds since 1970.
fn seconds(time: &str) -> i64 {
    let mut date = std::process::Command::new("date");
    date.args(["-u", "+%s", "-d", time]);
    let said = Running::start(date).wait().success().stdout;
    said.trim().parse().unwrap()
}

#[test]
fn kubectl_is_told_how_to_name_the_cluster_or_the_connection() {
    let stage = TokenServer::start("cluster.py");
    let exec = json!({"apiVersion": BETA, "args": ["kubectl-credential"]});
    let unnamed = kubectl(&stage, &exec);
    assert!(unnamed.stderr.contains("provideClusterInfo"), "{unnamed:?}");
}

#[test]
fn a_cluster_that_refuses_a_token_causes_one_refresh_and_kubectl_goes_on() {
    let stage = TokenServer::start("cluster.py");
    stage.bind();
    let version = version(&stage);
    let first = stage.token();
    stage.refuse(&first);
    let listed = kubectl(&stage, &by_address(version)).success();
    assert_eq!(listed.stdout, "pod/a-pod\n", "{listed:?}");
    assert_ne!(stage.token(), first);
    assert_eq!(stage.events("token_rejected"), 1);

    stage.refuse("*");
    let second = stage.token();
    std::fs::remove_file(stage.file("requests")).unwrap();
    let refused = kubectl(&stage, &by_address(version));
    assert_ne!(refused.code, 0, "{refused:?}");
    let requests = std::fs::read_to_string(stage.file("requests")).unwrap();
    assert!(requests.lines().count() > 3, "kubectl tries often: {requests}");
    assert_ne!(stage.token(), second);
    assert_eq!(stage.events("token_rejected"), 2, "once for each kubectl");
}
