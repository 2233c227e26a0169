//! Pure verification of launch secrets, tokens, cookies, origins and hosts.
