//! Single sign-on against a provider that lies: row A20 of the security catalogue.

use std::time::{Duration, SystemTime};

use hither_auth::{Proxies, UserKind};
use hither_server::http::Config;
use hither_store::NewUser;
use serde_json::{Value, json};

use crate::harness::config;
use crate::provider::{CLIENT, Conduct, Signing, in_seconds, parameters};
use crate::signed_on::{SignedOn, outcome};

#[tokio::test]
async fn a_user_of_the_provider_signs_on() {
    let signed = SignedOn::start().await;
    let config = signed.harness.get("/api/auth/config").await.json();
    assert_eq!(config["authMethods"], json!(["launch", "token", "oidc"]));
    assert_eq!(config["oidcLabel"], "the office");
    let (place, login) = signed.sign_on("").await;
    assert_eq!(place, "/");
    let user = signed.who(&login.unwrap()).await;
    assert_eq!((&user["userId"], &user["via"]), (&json!("ada"), &json!("login")));
    assert!(!user["scopes"].as_array().unwrap().contains(&json!("admin")));
    // To the page that asked for the login, and as the same user; what is no session leads nowhere.
    let id = signed.harness.id;
    assert_eq!(signed.sign_on(&format!("?session={id}")).await.0, format!("/s/{id}"));
    for elsewhere in ["//evil.test", "https%3A%2F%2Fevil.test", "..%2F..", "%0d%0aX-Y%3A%20z"] {
        assert_eq!(signed.sign_on(&format!("?session={elsewhere}")).await.0, "/");
    }
    assert_eq!(signed.store.users().unwrap().len(), 1);
    // The provider was asked once for what it says of itself.
    assert_eq!(signed.provider.asked("/.well-known/openid-configuration"), 1);
}

#[tokio::test]
async fn groups_and_their_loss_decide_at_each_sign_on() {
    let signed = SignedOn::start().await;
    let conduct = |claims: Value| Conduct { claims, ..Conduct::default() };
    *signed.provider.conduct() = conduct(json!({ "groups": ["ops"] }));
    let (_, login) = signed.sign_on("").await;
    let login = login.unwrap();
    let scopes = signed.who(&login).await["scopes"].clone();
    assert!(scopes.as_array().unwrap().contains(&json!("admin")));
    *signed.provider.conduct() = Conduct::default();
    signed.sign_on("").await;
    // The old login is worth less now, too.
    let scopes = signed.who(&login).await["scopes"].clone();
    assert!(!scopes.as_array().unwrap().contains(&json!("admin")));
    let refused =
        |groups: Value| signed.refused(conduct(json!({ "groups": groups })), "oidc_not_allowed");
    for groups in [json!([]), json!("shells"), json!(["Shell"]), json!({ "shell": true })] {
        refused(groups).await;
    }
    // Who is in no group at all may not be told to be in any.
    let none =
        Conduct { info: Some(json!({ "sub": "subject-1" })), ..conduct(json!({ "groups": null })) };
    signed.refused(none, "oidc_not_allowed").await;
    *signed.provider.conduct() = conduct(json!({ "groups": "shell" }));
    assert!(signed.sign_on("").await.1.is_some(), "one group as a text");
}

#[tokio::test]
async fn what_the_token_does_not_say_is_asked_for() {
    let signed = SignedOn::start().await;
    let without = json!({ "preferred_username": null, "groups": null });
    let info = |sub: &str| {
        Some(json!({ "sub": sub, "preferred_username": "Ada", "groups": ["shell"], "iss": "x" }))
    };
    let conduct = |info| Conduct { claims: without.clone(), info, ..Conduct::default() };
    *signed.provider.conduct() = conduct(info("subject-1"));
    let (_, login) = signed.sign_on("").await;
    assert_eq!(signed.who(&login.unwrap()).await["userId"], "ada");
    signed.refused(conduct(info("subject-2")), "oidc_refused").await;
    signed.refused(conduct(Some(json!({ "preferred_username": "ada" }))), "oidc_refused").await;
    signed.refused(conduct(None), "oidc_unavailable").await;
}

#[tokio::test]
async fn a20_claims_that_are_not_for_us_prove_nothing() {
    let signed = SignedOn::start().await;
    for claims in [
        json!({ "nonce": "another" }),
        json!({ "nonce": null }),
        json!({ "iss": "https://evil.test" }),
        json!({ "iss": [signed.provider.issuer, "https://evil.test"] }),
        json!({ "iss": null }),
        json!({ "aud": "another client" }),
        json!({ "aud": null }),
        json!({ "aud": [] }),
        json!({ "aud": [CLIENT, "another client"] }),
        json!({ "aud": [CLIENT, "another client"], "azp": "another client" }),
        json!({ "azp": "another client" }),
        json!({ "exp": in_seconds(-120) }),
        json!({ "exp": null }),
        json!({ "exp": "tomorrow" }),
        json!({ "nbf": in_seconds(120) }),
        json!({ "sub": null }),
        json!({ "sub": "" }),
        json!({ "sub": 1 }),
        json!({ "sub": "x".repeat(256) }),
    ] {
        signed.refused(Conduct { claims, ..Conduct::default() }, "oidc_refused").await;
    }
    // Clocks may differ a little, and a token may be for several.
    for claims in [
        json!({ "exp": in_seconds(-30) }),
        json!({ "nbf": in_seconds(30) }),
        json!({ "aud": [CLIENT] }),
        json!({ "aud": [CLIENT, "another client"], "azp": CLIENT }),
    ] {
        signed.provider.conduct().claims = claims.clone();
        assert!(signed.sign_on("").await.1.is_some(), "{claims}");
    }
}

#[tokio::test]
async fn a20_what_the_provider_has_not_signed_proves_nothing() {
    let signed = SignedOn::start().await;
    let signing = |signing| Conduct { signing, ..Conduct::default() };
    for how in [Signing::OtherKey, Signing::Shared, Signing::Nothing] {
        signed.refused(signing(how), "oidc_refused").await;
    }
    for header in [
        json!({ "alg": "none" }),
        json!({ "alg": "NONE", "kid": "k1" }),
        json!({ "alg": "HS256", "kid": "k1" }),
        json!({ "alg": "RS256", "kid": "k1" }),
        json!({ "alg": "EdDSA", "kid": "k1" }),
        json!({ "alg": "ES256", "kid": "k7" }),
        json!({ "alg": "ES256", "kid": "k1", "crit": ["b64"], "b64": false }),
        json!({ "kid": "k1" }),
    ] {
        for how in [Signing::Right, Signing::Shared] {
            let header = Some(header.clone());
            signed.refused(Conduct { header, ..signing(how) }, "oidc_refused").await;
        }
    }
    // Without a name for the key, any of the provider's will do.
    signed.provider.conduct().header = Some(json!({ "alg": "ES256" }));
    assert!(signed.sign_on("").await.1.is_some());
}

#[tokio::test]
async fn a20_an_answer_belongs_to_the_browser_that_began() {
    let signed = SignedOn::start().await;
    let (visit, other) = (signed.begin("").await, signed.begin("").await);
    let code = signed.provider.consent(&visit.address);
    let query = |state: &str| format!("code={code}&state={state}");
    let state = &visit.state;
    let empty = format!("code=&state={state}");
    for (cookie, query, why) in [
        ("", query(state), "oidc_stale"),
        (&*other.cookie, query(state), "oidc_stale"),
        (&*visit.cookie, query(&other.state), "oidc_stale"),
        (&*visit.cookie, query(""), "oidc_stale"),
        (&*visit.cookie, format!("code={code}"), "oidc_stale"),
        (&*visit.cookie, format!("error=access_denied&state={state}"), "oidc_denied"),
        (&*visit.cookie, empty, "oidc_refused"),
        (&*visit.cookie, format!("state={state}"), "oidc_refused"),
        (&*visit.cookie, format!("code={}&state={state}", "x".repeat(5000)), "oidc_refused"),
        (&*visit.cookie, format!("code=another&state={state}"), "oidc_refused"),
        (&*visit.cookie, format!("{}&iss=https://evil.test", query(state)), "oidc_refused"),
    ] {
        let came = outcome(&signed.come_back(cookie, &query).await);
        assert_eq!(came, (format!("/#login={why}"), None), "{query}");
    }
    // None of that has used the code up.
    let named = format!("{}&iss={}", query(state), signed.provider.issuer);
    assert!(outcome(&signed.come_back(&visit.cookie, &named).await).1.is_some());
    let again = outcome(&signed.come_back(&visit.cookie, &query(state)).await);
    assert_eq!(again, ("/#login=oidc_refused".to_owned(), None), "a code is good once");
    // A code that was stolen on its way is of no use in the thief's own sign-on: PKCE and nonce.
    let stolen = signed.provider.consent(&signed.begin("").await.address);
    let thief = signed.begin("").await;
    let query = format!("code={stolen}&state={}", thief.state);
    assert_eq!(outcome(&signed.come_back(&thief.cookie, &query).await).1, None);
}

#[tokio::test]
async fn a20_pages_elsewhere_lock_nobody_out() {
    // This machine is never punished, so the browser comes through a proxy.
    let proxies = Proxies::new(vec!["127.0.0.1/32".parse().unwrap()]);
    let signed = SignedOn::with_config(Config { proxies, ..config() }).await;
    let come = async |cookie: &str, query: &str| {
        let target = format!("/api/auth/oidc/callback?{query}");
        let request = signed.harness.request("GET", &target).header("cookie", cookie);
        let request = request.header("x-forwarded-for", "192.0.2.7");
        outcome(&request.send(signed.harness.address).await).0
    };
    for _ in 0..20 {
        assert_eq!(come("", "code=x&state=x").await, "/#login=oidc_stale");
    }
    // Codes that are guessed are counted.
    let visit = signed.begin("").await;
    let query = format!("code=x&state={}", visit.state);
    let mut guesses = 0;
    while come(&visit.cookie, &query).await == "/#login=oidc_refused" {
        guesses += 1;
        assert!(guesses <= 10, "guesses are never slowed down");
    }
    assert_eq!(come("", "state=x").await, "/#login=too_many_attempts");
}

#[tokio::test]
async fn a20_a_provider_that_names_itself_must_do_so() {
    let signed = SignedOn::start().await;
    let metadata = json!({ "authorization_response_iss_parameter_supported": true });
    signed.provider.conduct().metadata = metadata;
    let visit = signed.begin("").await;
    let code = signed.provider.consent(&visit.address);
    let query = format!("code={code}&state={}", visit.state);
    assert_eq!(outcome(&signed.come_back(&visit.cookie, &query).await).1, None);
    let query = format!("{query}&iss={}", signed.provider.issuer);
    assert!(outcome(&signed.come_back(&visit.cookie, &query).await).1.is_some());
}

#[tokio::test]
async fn a20_documents_that_are_wrong_or_endless_are_refused() {
    let keys = |text: String| Conduct { keys: Some(text), ..Conduct::default() };
    let metadata = |metadata: Value| Conduct { metadata, ..Conduct::default() };
    let long = format!("{{\"keys\":[],\"x\":\"{}\"}}", "x".repeat(10 << 20));
    let redirect = Some("http://127.0.0.1:1".to_owned());
    for conduct in [
        keys(long),
        keys("not JSON".to_owned()),
        metadata(json!({ "issuer": "https://evil.test" })),
        metadata(json!({ "token_endpoint": "http://evil.test/token" })),
        metadata(json!({ "jwks_uri": "file:///etc/passwd" })),
        metadata(json!({ "authorization_endpoint": "javascript:alert(1)" })),
        metadata(json!({ "token_endpoint": null })),
        Conduct { redirect, ..Conduct::default() },
    ] {
        let signed = SignedOn::start().await;
        *signed.provider.conduct() = conduct;
        let request = signed.harness.request("GET", "/api/auth/oidc/login");
        let sent = request.send(signed.harness.address).await;
        assert_eq!(outcome(&sent), ("/#login=oidc_unavailable".to_owned(), None));
        // It is asked again, and may have been mended.
        *signed.provider.conduct() = Conduct::default();
        assert!(signed.sign_on("").await.1.is_some());
    }
    // Nor is the token endpoint followed elsewhere, where the client's secret would go.
    let signed = SignedOn::start().await;
    let visit = signed.begin("").await;
    let code = signed.provider.consent(&visit.address);
    signed.provider.conduct().redirect = Some("http://127.0.0.1:1".to_owned());
    let query = format!("code={code}&state={}", visit.state);
    let came = outcome(&signed.come_back(&visit.cookie, &query).await);
    assert_eq!(came, ("/#login=oidc_unavailable".to_owned(), None));
}

#[tokio::test]
async fn a20_new_keys_are_found_but_not_asked_for_at_will() {
    let signed = SignedOn::start().await;
    assert!(signed.sign_on("").await.1.is_some());
    signed.provider.rotate();
    // The list that is known is too young to be asked for again.
    for _ in 0..5 {
        assert_eq!(signed.sign_on("").await.0, "/#login=oidc_refused");
    }
    assert_eq!(signed.provider.asked("/keys"), 1);
    // Half a minute in no time; nothing waits for it meanwhile.
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(31)).await;
    tokio::time::resume();
    assert!(signed.sign_on("").await.1.is_some());
    assert_eq!(signed.provider.asked("/keys"), 2);
}

#[tokio::test]
async fn the_client_proves_itself_as_the_provider_wants() {
    let signed = SignedOn::start().await;
    signed.provider.conduct().secret_in_body = true;
    assert!(signed.sign_on("").await.1.is_some());
}

#[tokio::test]
async fn a20_the_way_back_is_where_the_browser_is() {
    let base = Config { base_path: "/term".parse().unwrap(), ..config() };
    let signed = SignedOn::with_config(base).await;
    let harness = &signed.harness;
    let request = harness.request("GET", "/term/api/auth/oidc/login").send(harness.address).await;
    let redirect = &parameters(request.header("location").unwrap())["redirect_uri"];
    assert_eq!(*redirect, format!("{}/term/api/auth/oidc/callback", harness.origin()));
    let back = harness.request("GET", "/term/api/auth/oidc/callback").send(harness.address).await;
    assert_eq!(outcome(&back).0, "/term/#login=oidc_stale");
    // Names that are not ours never become an address to come back to.
    for host in ["evil.test", "127.0.0.1:1", "127.0.0.1.evil.test"] {
        let request = crate::client::Request::new("GET", "/term/api/auth/oidc/login");
        let refused = request.header("host", host).send(harness.address).await;
        assert_eq!(refused.status, 421, "{host}");
    }
}

#[tokio::test]
async fn a20_nobody_takes_the_account_of_another_by_its_name() {
    let mut signed = SignedOn::start().await;
    let password = Some("hash".to_owned());
    let ada = NewUser { name: "ada".parse().unwrap(), kind: UserKind::Admin, password };
    signed.store.add_user(&ada, SystemTime::now()).unwrap();
    signed.refused(Conduct::default(), "oidc_name_taken").await;
    let bob = json!({ "sub": "subject-2", "preferred_username": "bob" });
    signed.provider.conduct().claims = bob;
    assert!(signed.sign_on("").await.1.is_some());
    let again = json!({ "sub": "subject-3", "preferred_username": "Bob" });
    signed.refused(Conduct { claims: again, ..Conduct::default() }, "oidc_name_taken").await;
    for name in [json!("a b"), json!("\u{1b}]0;x\u{7}"), json!("../x")] {
        let claims = json!({ "preferred_username": name });
        signed.refused(Conduct { claims, ..Conduct::default() }, "oidc_not_allowed").await;
    }
}

#[tokio::test]
async fn logging_out_ends_the_login_of_a_sign_on() {
    let signed = SignedOn::start().await;
    let login = signed.sign_on("").await.1.unwrap();
    let request = signed.harness.request("POST", "/api/auth/logout");
    let request = request.header("origin", signed.harness.origin()).header("cookie", &*login);
    assert_eq!(request.send(signed.harness.address).await.status, 204);
    assert_eq!(signed.who(&login).await["code"], "credentials_refused");
}
