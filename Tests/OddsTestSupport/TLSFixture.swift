import Foundation

/// Certificates that only tests use: an authority, and two servers it vouches for. They hold from 2020 to 2120.
public enum TLSFixture {
    /// Vouches for the others.
    public static let authority = """
        -----BEGIN CERTIFICATE-----
        MIIBeDCCAR+gAwIBAgIBATAKBggqhkjOPQQDAjAjMSEwHwYDVQQDDBhPZGRzdHJl
        YW0gdGVzdCBhdXRob3JpdHkwIBcNMjAwMTAxMDAwMDAwWhgPMjEyMDAxMDEwMDAw
        MDBaMCMxITAfBgNVBAMMGE9kZHN0cmVhbSB0ZXN0IGF1dGhvcml0eTBZMBMGByqG
        SM49AgEGCCqGSM49AwEHA0IABPus14v3glKBBY/jINlcL3qakp/7pzYyck7T4YJ1
        VwxYaZHtcyN3s00hzgqUnusQx5XEE+OB8UGmvgN/4irHDeCjQjBAMA8GA1UdEwEB
        /wQFMAMBAf8wDgYDVR0PAQH/BAQDAgEGMB0GA1UdDgQWBBRt3YT4UdZxKCznBLZo
        usVhBtfR3DAKBggqhkjOPQQDAgNHADBEAiAkR3RWW1VWXnuO6Zl6MxILPk9dici+
        tYVmxtPj2BbPygIgKamwJli5Lcjih/hWlyRhJwTH4iU4OkcePdbAKFE+Cdo=
        -----END CERTIFICATE-----
        """

    /// For `localhost` and 127.0.0.1.
    public static let localhost = (
        certificate: """
        -----BEGIN CERTIFICATE-----
        MIIBpzCCAUygAwIBAgIBAjAKBggqhkjOPQQDAjAjMSEwHwYDVQQDDBhPZGRzdHJl
        YW0gdGVzdCBhdXRob3JpdHkwIBcNMjAwMTAxMDAwMDAwWhgPMjEyMDAxMDEwMDAw
        MDBaMBQxEjAQBgNVBAMMCWxvY2FsaG9zdDBZMBMGByqGSM49AgEGCCqGSM49AwEH
        A0IABDtWm0Nk9dfvEigkMGF2ys5jGA6kkSgXJj0gGuCMgyaU58BpxrbC1QOHMsAz
        +TtWa612AtdjrFdFRGLF56BFpcqjfjB8MBoGA1UdEQQTMBGCCWxvY2FsaG9zdIcE
        fwAAATAJBgNVHRMEAjAAMBMGA1UdJQQMMAoGCCsGAQUFBwMBMB0GA1UdDgQWBBRL
        beb6T7uidj+NPp86ndm7AqGy3jAfBgNVHSMEGDAWgBRt3YT4UdZxKCznBLZousVh
        BtfR3DAKBggqhkjOPQQDAgNJADBGAiEA+TtBYCRAFrlPt48N39m5DNX6jfjgZ25B
        pXkCeeNivuICIQCZQQBE7r530WSSu7fOGk2h+H7VgzQEUNQVXky/IA2P2Q==
        -----END CERTIFICATE-----
        """,
        key: """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgNvp2oubVxL/THoq6
        GMQDJ+00a6LakYa9rStFczDoT96hRANCAAQ7VptDZPXX7xIoJDBhdsrOYxgOpJEo
        FyY9IBrgjIMmlOfAaca2wtUDhzLAM/k7VmutdgLXY6xXRURixeegRaXK
        -----END PRIVATE KEY-----
        """
    )

    /// For `elsewhere.test` only.
    public static let elsewhere = (
        certificate: """
        -----BEGIN CERTIFICATE-----
        MIIBqjCCAVCgAwIBAgIBAzAKBggqhkjOPQQDAjAjMSEwHwYDVQQDDBhPZGRzdHJl
        YW0gdGVzdCBhdXRob3JpdHkwIBcNMjAwMTAxMDAwMDAwWhgPMjEyMDAxMDEwMDAw
        MDBaMBkxFzAVBgNVBAMMDmVsc2V3aGVyZS50ZXN0MFkwEwYHKoZIzj0CAQYIKoZI
        zj0DAQcDQgAEsPXfiF+hUwPIyb7uEsTO08jAnNL60vmhFQGKM/XD1qEti0tcdOrx
        scdDw/g+4eUU+bmf4RtMPWSvs8qFkur2vKN9MHswGQYDVR0RBBIwEIIOZWxzZXdo
        ZXJlLnRlc3QwCQYDVR0TBAIwADATBgNVHSUEDDAKBggrBgEFBQcDATAdBgNVHQ4E
        FgQU+80vQoy7JLZglo/hAhWX9ahwUGQwHwYDVR0jBBgwFoAUbd2E+FHWcSgs5wS2
        aLrFYQbX0dwwCgYIKoZIzj0EAwIDSAAwRQIgV4AuLg8/hu17Lh7nyUesBR43cbYl
        CerH/mzjgsA9NA4CIQCheOrP5JZ+XWBqhIcSlnPZB3Siccz18yHZXQ5vCdoRFw==
        -----END CERTIFICATE-----
        """,
        key: """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgi1JSA0ir6NLnnEnO
        vw409x5tkNhEbUcpcM1mKVFkKNKhRANCAASw9d+IX6FTA8jJvu4SxM7TyMCc0vrS
        +aEVAYoz9cPWoS2LS1x06vGxx0PD+D7h5RT5uZ/hG0w9ZK+zyoWS6va8
        -----END PRIVATE KEY-----
        """
    )

    /// A file with a text, there as long as this value is kept.
    public final class File: Sendable {
        private let url: URL
        /// Where it is.
        public var path: String { self.url.path }

        /// Writes the file.
        public init(_ text: String) throws {
            self.url = FileManager.default.temporaryDirectory.appending(path: "oddstream-\(UUID().uuidString).pem")
            try Data(text.utf8).write(to: self.url)
        }

        // A temporary file that cannot be removed harms nobody.
        deinit { try? FileManager.default.removeItem(at: self.url) }
    }
}
