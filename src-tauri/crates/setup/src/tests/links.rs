//! Links to `tokenry`, and links of the user.

use super::*;

const KEYRING: &str = ".local/bin/keyring";

fn with_link(target: &Path) -> Home {
    let home = Home::new();
    fs::create_dir_all(home.path(".local/bin")).unwrap();
    symlink(target, home.path(KEYRING)).unwrap();
    home
}

#[test]
fn a_link_of_the_user_to_another_program_is_refused_and_stays() {
    for target in ["/nonexistent/keyring", "/bin/sh"] {
        let home = with_link(Path::new(target));
        for tool in ["pip", "uv"] {
            let error = home.set_up(tool, "git.example").unwrap_err();
            let text = error.to_string();
            assert!(text.contains(KEYRING) && text.contains(target), "{text}");
            assert!(
                error.next_step().contains("Move it away"),
                "{}",
                error.next_step()
            );
        }
        assert_eq!(home.path(KEYRING).read_link().unwrap(), Path::new(target));
        assert!(home.listed("pip").is_empty() && !home.path(".config").exists());
    }
}

#[test]
fn a_program_of_the_user_in_place_of_a_link_is_refused() {
    let home = Home::new();
    home.write(".terraform.d/plugins/terraform-credentials-tokenry", "x");
    let error = home.set_up("terraform", "git.example").unwrap_err();
    assert!(error.to_string().contains("not a link of Tokenry"), "{error}");
}

#[test]
fn a_link_of_the_user_to_tokenry_is_used_and_stays_after_the_undo() {
    let home = Home::new();
    fs::create_dir_all(home.path(".local/bin")).unwrap();
    symlink(home.path("bin/tokenry"), home.path("bin/other-name")).unwrap();
    for target in ["bin/tokenry", "bin/other-name"] {
        symlink(home.path(target), home.path(KEYRING)).unwrap();
        home.set_up("pip", "git.example").unwrap();
        assert_eq!(home.listed("pip")[0].problem, None);
        let notes = home.undo("pip", None).unwrap();
        assert!(notes[0].contains("was there before"), "{notes:?}");
        assert_eq!(home.path(KEYRING).read_link().unwrap(), home.path(target));
        fs::remove_file(home.path(KEYRING)).unwrap();
    }
}

#[test]
fn a_link_that_changed_after_it_was_shown_is_not_replaced() {
    let home = Home::new();
    let environment = home.environment();
    let options = Options {
        address: Some("git.example".to_owned()),
        ..Options::default()
    };
    let shown = plan(&environment, "pip", &options).unwrap();
    fs::create_dir_all(home.path(".local/bin")).unwrap();
    symlink("/bin/sh", home.path(KEYRING)).unwrap();
    write(&environment, shown).unwrap_err();
    assert_eq!(home.path(KEYRING).read_link().unwrap(), Path::new("/bin/sh"));
}

#[test]
fn a_link_follows_tokenry_to_its_new_path_for_all_hosts() {
    let home = Home::new();
    home.set_up("pip", "one.example").unwrap();
    home.set_up("pip", "two.example").unwrap();
    fs::create_dir(home.path("new")).unwrap();
    fs::rename(home.path("bin/tokenry"), home.path("new/tokenry")).unwrap();
    let moved = home.environment_of("new/tokenry");
    let options = Options {
        address: Some("one.example".to_owned()),
        ..Options::default()
    };
    let again = plan(&moved, "pip", &options).unwrap();
    write(&moved, again).unwrap();
    assert_eq!(home.path(KEYRING).read_link().unwrap(), home.path("new/tokenry"));
    home.undo("pip", Some("one.example")).unwrap();
    assert!(home.path(KEYRING).is_symlink());
    home.undo("pip", Some("two.example")).unwrap();
    assert!(!home.path(".local/bin").exists() && !home.path(".config").exists());
}

#[test]
fn a_link_that_the_user_turned_to_another_program_stays_after_the_undo() {
    let home = Home::new();
    home.set_up("pip", "git.example").unwrap();
    fs::remove_file(home.path(KEYRING)).unwrap();
    symlink("/bin/sh", home.path(KEYRING)).unwrap();
    let problem = home.listed("pip")[0].problem.clone().unwrap();
    assert!(problem.contains("does not lead to Tokenry"), "{problem}");
    let notes = home.undo("pip", None).unwrap();
    assert!(
        notes.iter().any(|note| note.contains("no longer leads")),
        "{notes:?}"
    );
    assert_eq!(home.path(KEYRING).read_link().unwrap(), Path::new("/bin/sh"));
}
