//! Changes that several hosts need.

use super::*;

/// The tools whose hosts share a line and a link.
const SHARING: &[(&str, &str, &str, &str)] = &[
    (
        "terraform",
        ".terraformrc",
        "disable_checkpoint = true\n",
        ".terraform.d/plugins/terraform-credentials-tokenry",
    ),
    (
        "pip",
        ".config/pip/pip.conf",
        "[global]\ntimeout = 60\n",
        ".local/bin/keyring",
    ),
    (
        "uv",
        ".config/uv/uv.toml",
        "offline = false # for now\n",
        ".local/bin/keyring",
    ),
];

const HOSTS: [&str; 2] = ["one.example", "two.example"];

fn targets(home: &Home, tool: &str) -> Vec<String> {
    let entries = home.listed(tool);
    assert!(entries.iter().all(|entry| entry.problem.is_none()), "{entries:?}");
    entries.into_iter().map(|entry| entry.target).collect()
}

#[test]
fn a_second_host_is_an_entry_of_its_own_and_is_shown() {
    for (tool, file, before, link) in SHARING {
        let home = Home::new();
        let path = home.write(file, before);
        home.set_up(tool, HOSTS[0]).unwrap();
        let once = read(&path);
        let options = Options {
            address: Some(HOSTS[1].to_owned()),
            ..Options::default()
        };
        let planned = plan(&home.environment(), tool, &options).unwrap();
        assert_eq!(planned.target(), Some("https://two.example"));
        assert!(!planned.is_empty());
        let view = planned.view();
        let shown: Vec<_> = view.changes.iter().map(|change| change.path.clone()).collect();
        assert_eq!(
            shown,
            [&path, &home.path(link)].map(|path| path.display().to_string()),
            "{tool}"
        );
        assert!(
            view.changes.iter().all(|change| change.diff.starts_with(' ')),
            "{view:?}"
        );
        assert_eq!(*tool == "terraform", view.notes.is_empty(), "{view:?}");
        write(&home.environment(), planned).unwrap();
        assert_eq!(read(&path), once);
        assert_eq!(targets(&home, tool), HOSTS.map(|host| format!("https://{host}")));
        assert_eq!(home.set_up(tool, HOSTS[1]).unwrap(), "");
    }
}

#[test]
fn the_undo_of_one_host_keeps_what_the_other_one_needs() {
    for (tool, file, before, link) in SHARING {
        for order in [HOSTS, [HOSTS[1], HOSTS[0]]] {
            let home = Home::new();
            let path = home.write(file, before);
            home.set_up(tool, HOSTS[0]).unwrap();
            let once = read(&path);
            home.set_up(tool, HOSTS[1]).unwrap();
            let view = plan_undo(&home.environment(), tool, Some(order[0]))
                .unwrap()
                .view();
            assert!(
                view.changes.iter().all(|change| change.diff.starts_with(' ')),
                "{view:?}"
            );
            let notes = home.undo(tool, Some(order[0])).unwrap();
            assert!(
                notes.iter().all(|note| note.contains("another entry needs it")),
                "{notes:?}"
            );
            assert_eq!((read(&path), notes.len()), (once, 2));
            assert_eq!(targets(&home, tool), [format!("https://{}", order[1])]);
            assert!(home.undo(tool, Some(order[1])).unwrap().is_empty());
            assert_eq!(read(&path), *before, "{tool}");
            assert!(!home.path(link).is_symlink(), "{tool}");
        }
    }
}

#[test]
fn the_undo_of_all_hosts_takes_each_change_back_once() {
    for (tool, file, before, link) in SHARING {
        for is_new in [true, false] {
            let home = Home::new();
            if !is_new {
                home.write(file, before);
            }
            home.set_up(tool, HOSTS[0]).unwrap();
            home.set_up(tool, HOSTS[1]).unwrap();
            let view = plan_undo(&home.environment(), tool, None).unwrap().view();
            assert_eq!((view.changes.len(), view.notes.len()), (2, 0), "{view:?}");
            home.undo(tool, None).unwrap();
            let now = fs::read_to_string(home.path(file)).ok();
            assert_eq!(now.as_deref(), (!is_new).then_some(*before));
            assert!(!home.path(link).is_symlink(), "{tool}");
        }
    }
}

#[test]
fn the_list_says_for_each_host_that_the_shared_line_is_gone() {
    for (tool, file, before, _) in SHARING {
        let home = Home::new();
        let path = home.write(file, before);
        home.set_up(tool, HOSTS[0]).unwrap();
        home.set_up(tool, HOSTS[1]).unwrap();
        fs::write(&path, before).unwrap();
        for entry in home.listed(tool) {
            let problem = entry.problem.unwrap();
            assert!(problem.contains("no longer has the entry"), "{problem}");
        }
        home.set_up(tool, HOSTS[1]).unwrap();
        assert_eq!(targets(&home, tool).len(), 2);
        home.undo(tool, None).unwrap();
        assert_eq!(read(&path), *before, "{tool}");
    }
}

#[test]
fn the_link_that_pip_and_uv_share_stays_until_neither_needs_it() {
    let home = Home::new();
    home.set_up("pip", "git.example").unwrap();
    home.set_up("uv", "git.example").unwrap();
    home.undo("pip", None).unwrap();
    assert_eq!(targets(&home, "uv"), ["https://git.example"]);
    home.undo("uv", None).unwrap();
    assert!(!home.path(".local/bin").exists());
}

#[test]
fn a_line_that_the_user_wrote_is_used_and_stays_after_the_undo() {
    for (tool, file, text) in [
        (
            "pip",
            ".config/pip/pip.conf",
            "[global]\ntimeout = 60\nkeyring-provider=subprocess\n",
        ),
        ("uv", ".config/uv/uv.toml", "keyring-provider = 'subprocess'\n"),
        (
            "terraform",
            ".terraformrc",
            "x = 1\n  credentials_helper \"tokenry\" {}\n",
        ),
    ] {
        let home = Home::new();
        let path = home.write(file, text);
        home.set_up(tool, HOSTS[0]).unwrap();
        home.set_up(tool, HOSTS[1]).unwrap();
        assert_eq!((targets(&home, tool).len(), read(&path)), (2, text.to_owned()));
        home.undo(tool, Some(HOSTS[0])).unwrap();
        let notes = home.undo(tool, None).unwrap();
        assert!(notes[0].contains("was there before"), "{notes:?}");
        assert_eq!(read(&path), text);
    }
}

#[test]
fn the_link_for_two_registries_of_cargo_stays_until_neither_needs_it() {
    for order in [[0, 1], [1, 0]] {
        let registries = HOSTS.map(|host| format!("sparse+https://{host}/"));
        let home = Home::new();
        let path = home.write(".cargo/config.toml", "[build]\njobs = 1\n");
        for address in &registries {
            home.set_up("cargo", address).unwrap();
        }
        home.undo("cargo", Some(&registries[order[0]])).unwrap();
        assert_eq!(targets(&home, "cargo"), [registries[order[1]].clone()]);
        assert!(!read(&path).contains(HOSTS[order[0]]));
        home.undo("cargo", Some(&registries[order[1]])).unwrap();
        assert_eq!(read(&path), "[build]\njobs = 1\n");
        assert!(!home.path(".local/share").exists());
    }
}
