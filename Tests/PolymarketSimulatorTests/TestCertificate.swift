/// A self-signed certificate for `localhost` and 127.0.0.1, made for these tests only; it secures nothing.
enum TestCertificate {
    static let certificate = """
        -----BEGIN CERTIFICATE-----
        MIIBmjCCAUGgAwIBAgIUStT4wtZfFG+AB3xqeWWX9GyE9/kwCgYIKoZIzj0EAwIw
        FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMjE1MjcyM1oYDzIxMjYxMDI5
        MTUyNzIzWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
        PQMBBwNCAATt4Uii988ZefnJRkJVzzJ+IcaIkkg+UgvHQ5okULOvXJmNkUB4KUP+
        JVrFJ0kMtv0fP2SiX6jbJDUP1PLJU/uQo28wbTAdBgNVHQ4EFgQUV0RFuto1aMCb
        HbSPFriFL+QZZTkwHwYDVR0jBBgwFoAUV0RFuto1aMCbHbSPFriFL+QZZTkwDwYD
        VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
        zj0EAwIDRwAwRAIgJxlAgV3+FR5/VFz9aEbLunatUQi9DAuD4Z1c35UcIEwCIEp8
        bcwy6GiplctK1EJJVy/kz6+8qEh9mK0mUOzY301J
        -----END CERTIFICATE-----
        """

    static let key = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgK+T0uOLlObDuFuMQ
        ePtCCEns+by4dC8xIpGJ4iSAKbahRANCAATt4Uii988ZefnJRkJVzzJ+IcaIkkg+
        UgvHQ5okULOvXJmNkUB4KUP+JVrFJ0kMtv0fP2SiX6jbJDUP1PLJU/uQ
        -----END PRIVATE KEY-----
        """
}
