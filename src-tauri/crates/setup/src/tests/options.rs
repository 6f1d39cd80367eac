//! Options, and what a tool says about them.

use super::*;

fn error(tool: &str, options: &Options) -> SetupError {
    Home::new().set_up_with(tool, options).unwrap_err()
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[test]
fn an_option_that_a_tool_does_not_take_is_refused() {
    let none = Options::default;
    for (tool, option, options) in [
        (
            "git",
            "--role",
            Options {
                role: some("a"),
                ..none()
            },
        ),
        (
            "git",
            "--name",
            Options {
                name: some("a"),
                ..none()
            },
        ),
        (
            "docker",
            "--audience",
            Options {
                audience: some("a"),
                ..none()
            },
        ),
        (
            "docker",
            "--client",
            Options {
                clients: vec!["a".to_owned()],
                ..none()
            },
        ),
        (
            "aws",
            "--host",
            Options {
                address: some("a"),
                ..none()
            },
        ),
        (
            "oidc-agent",
            "--connection",
            Options {
                connection: some("a"),
                ..none()
            },
        ),
    ] {
        let text = error(tool, &options).to_string();
        assert!(text.contains(option) && text.contains(tool), "{text}");
    }
    // A form of the app sends each field, and the command line binds the connection to the host.
    let options = Options {
        address: some("ghcr.io"),
        connection: some("corp"),
        role: some(" "),
        ..none()
    };
    assert!(Home::new().set_up_with("docker", &options).is_ok());
}

#[test]
fn an_error_names_the_next_step_for_its_own_cause() {
    let mcp = Options {
        address: some("http://evil.example/mcp"),
        ..Options::default()
    };
    assert!(
        error("mcp", &mcp)
            .next_step()
            .contains("https://mcp.example.com/mcp")
    );
    let home = Home::new();
    fs::create_dir(home.path("a 'b")).unwrap();
    fs::copy(home.path("bin/tokenry"), home.path("a 'b/tokenry")).unwrap();
    let environment = home.environment_of("a 'b/tokenry");
    let connection = Options {
        connection: some("corp"),
        ..Options::default()
    };
    let google = Options {
        audience: some("a"),
        ..connection.clone()
    };
    for (tool, options) in [
        ("google", google),
        ("mail", connection),
        ("oidc-agent", Options::default()),
    ] {
        let error = plan(&environment, tool, &options).err().unwrap();
        assert!(
            error.next_step().starts_with("Install Tokenry in a folder"),
            "{error:?}"
        );
    }
}

fn mcp(client: &str, address: &str, name: Option<&str>) -> Options {
    Options {
        address: some(address),
        name: name.map(str::to_owned),
        clients: vec![client.to_owned()],
        ..Options::default()
    }
}

#[test]
fn another_server_of_the_same_name_is_not_replaced() {
    let toml = "[mcp_servers.mcp-example]\ncommand = \"npx\"\n";
    let json = "{\"mcpServers\": {\"mcp-example\": {\"command\": \"npx\"}}}";
    for (client, file, text) in [
        ("codex", ".codex/config.toml", toml),
        ("cursor", ".cursor/mcp.json", json),
    ] {
        for name in [None, Some("mcp-example")] {
            let home = Home::new();
            let path = home.write(file, text);
            let options = mcp(client, "https://mcp.example/mcp", name);
            let error = home.set_up_with("mcp", &options).unwrap_err();
            assert!(
                error.to_string().contains("another server called mcp-example"),
                "{error}"
            );
            assert_eq!(read(&path), text);
        }
        let home = Home::new();
        let path = home.path(file);
        home.set_up_with("mcp", &mcp(client, "https://mcp.example/one", None))
            .unwrap();
        let once = read(&path);
        home.set_up_with("mcp", &mcp(client, "https://mcp.example/one", None))
            .unwrap();
        home.set_up_with("mcp", &mcp(client, "https://mcp.example/two", None))
            .unwrap_err();
        assert_eq!(read(&path), once);
        home.set_up_with("mcp", &mcp(client, "https://mcp.example/two", Some("two")))
            .unwrap();
        assert_eq!(home.listed("mcp").len(), 2);
    }
}

#[test]
fn a_server_has_a_name_whatever_its_host_is() {
    for (client, file) in [("codex", ".codex/config.toml"), ("cursor", ".cursor/mcp.json")] {
        for address in ["https://[::1]:8/b", "https://_/b"] {
            let home = Home::new();
            home.set_up_with("mcp", &mcp(client, address, None)).unwrap();
            assert!(read(&home.path(file)).contains("mcp-server"));
        }
    }
}

#[test]
fn an_entry_of_codex_for_the_same_address_is_replaced_and_comes_back() {
    let text = "[mcp_servers.docs]\ncommand = \"npx\"\nargs = ['mcp-remote', 'https://mcp.example/mcp']\n";
    let home = Home::new();
    let path = home.write(".codex/config.toml", text);
    home.set_up_with("mcp", &mcp("codex", "https://mcp.example/mcp", None))
        .unwrap();
    assert!(read(&path).contains("[mcp_servers.docs]") && !read(&path).contains("npx"));
    home.undo("mcp", None).unwrap();
    assert_eq!(read(&path), text);
}
