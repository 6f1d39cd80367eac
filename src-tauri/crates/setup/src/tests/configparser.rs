//! Files of pip and AWS that the user wrote in one of the forms that Python's configparser reads.

use super::*;

const PIP: &str = ".config/pip/pip.conf";
const AWS: &str = ".aws/config";
const LINE: &str = "keyring-provider = subprocess\n";

fn aws(home: &Home) -> Result<PlanView, SetupError> {
    let options = Options {
        connection: Some("corp".to_owned()),
        role: Some("arn:aws:iam::123456789012:role/ci".to_owned()),
        ..Options::default()
    };
    home.set_up_with("aws", &options)
}

#[test]
fn the_line_goes_below_a_heading_in_any_form_which_stays_after_the_undo() {
    for (before, after) in [
        ("[global] # mine\n", format!("[global] # mine\n{LINE}")),
        (
            "[global] ; mine\ntimeout = 1\n",
            format!("[global] ; mine\n{LINE}timeout = 1\n"),
        ),
        (
            "  [global]\ntimeout: 1\n",
            format!("  [global]\n{LINE}timeout: 1\n"),
        ),
        (
            "[install]\nuser = no\n",
            format!("[install]\nuser = no\n[global]\n{LINE}"),
        ),
    ] {
        let home = Home::new();
        let path = home.write(PIP, before);
        home.set_up("pip", "git.example").unwrap();
        assert_eq!(read(&path), after);
        // Another change, so that the undo cannot write the text from before.
        fs::write(&path, format!("# top\n{after}")).unwrap();
        home.undo("pip", None).unwrap();
        assert_eq!(read(&path), format!("# top\n{before}"));
    }
}

#[test]
fn a_line_in_another_form_is_the_users_own() {
    for text in [
        "[global]\nkeyring-provider: subprocess\n",
        "[global]\nKeyring-Provider=subprocess\n",
        "[global] # mine\nkeyring_provider = subprocess\n",
        "  [global]\n  --keyring-provider = subprocess\n",
    ] {
        let home = Home::new();
        let path = home.write(PIP, text);
        home.set_up("pip", "git.example").unwrap();
        assert_eq!(read(&path), text);
        home.undo("pip", None).unwrap();
        assert_eq!(read(&path), text);
    }
}

#[test]
fn a_file_that_cannot_be_changed_safely_stays_as_it_is() {
    for (text, says, next) in [
        (
            "[global]\nkeyring_provider = import\n",
            "[global], line 2",
            "Remove",
        ),
        (
            "[install]\nKeyring-Provider: import\n",
            "[install], line 2",
            "Remove",
        ),
        (
            "  [global]\n  timeout = 1\n",
            "indented",
            "keyring-provider = subprocess",
        ),
        ("[global]\nnothing\n", "line 2", "keyring-provider = subprocess"),
        ("[global]\n[global]\n", "line 2", "Correct"),
    ] {
        let home = Home::new();
        let path = home.write(PIP, text);
        let error = home.set_up("pip", "git.example").unwrap_err();
        assert!(error.to_string().contains(says), "{error}");
        assert!(error.next_step().contains(next), "{}", error.next_step());
        assert_eq!(read(&path), text);
    }
}

#[test]
fn a_profile_is_found_in_any_form() {
    for heading in [
        "[profile tokenry] # mine",
        "[profile \"tokenry\"]",
        "[profile  tokenry]",
    ] {
        let home = Home::new();
        let before = format!("{heading}\nregion = eu\ns3 =\n  x = 1\n");
        let path = home.write(AWS, &before);
        aws(&home).unwrap();
        assert!(read(&path).starts_with(&format!("{heading}\ncredential_process = ")));
        home.undo("aws", None).unwrap();
        assert_eq!(read(&path), before);
    }
}

#[test]
fn a_profile_with_other_credentials_is_not_changed() {
    for option in [
        "credential_process: x",
        "Credential_Process = x",
        "sso_start_url = x",
        "sso_session = x",
        "web_identity_token_file = x",
        "role_arn = x",
        "aws_access_key_id = x",
    ] {
        let home = Home::new();
        let text = format!("[profile  tokenry]\n{option}\n");
        let path = home.write(AWS, &text);
        let error = aws(&home).unwrap_err();
        assert!(error.to_string().contains("in the profile tokenry"), "{error}");
        assert_eq!(read(&path), text);
    }
}

#[test]
fn a_line_of_an_older_setup_is_replaced() {
    let home = Home::new();
    let path = home.write(
        AWS,
        "[profile tokenry]\nregion = eu\ncredential_process = /t aws-credential --connection a\n",
    );
    aws(&home).unwrap();
    assert_eq!(read(&path).matches("credential_process").count(), 1);
    assert!(read(&path).contains("--connection corp"));
}
