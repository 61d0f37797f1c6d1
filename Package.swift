// swift-tools-version:6.2
import PackageDescription

/// `make check` sets this, so that our own warnings fail the build while a user's newer compiler only warns.
let warningsAsErrors = Context.environment["ODDSTREAM_WARNINGS_AS_ERRORS"] == "1"
/// `make fuzz` sets this: the fuzzers need libFuzzer's runtime and are no part of a normal build.
let fuzzing = Context.environment["ODDSTREAM_FUZZ"] == "1"
/// `make conformance` sets this: the partner of the WebSocket test suite is no part of a normal build.
let conformance = Context.environment["ODDSTREAM_CONFORMANCE"] == "1"

/// `make chaos` sets this: the fault matrix in real time is no part of a normal build.
let chaos = Context.environment["ODDSTREAM_CHAOS"] == "1"

let settings: [SwiftSetting] =
    [
        .swiftLanguageMode(.v6),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    ] + (warningsAsErrors ? [.treatAllWarnings(as: .error)] : [])

func product(_ name: String, _ package: String) -> Target.Dependency { .product(name: name, package: package) }

let nio: [Target.Dependency] = [
    product("NIOCore", "swift-nio"), product("NIOPosix", "swift-nio"), product("NIOHTTP1", "swift-nio"),
    product("NIOSSL", "swift-nio-ssl"),
]

let package = Package(
    name: "oddstream",
    platforms: [.macOS(.v26)],
    products: [
        .library(name: "OddsCore", targets: ["OddsCore"]),
        .library(name: "RealtimeOdds", targets: ["RealtimeOdds"]),
        .library(name: "OddsTrading", targets: ["OddsTrading"]),
        .library(name: "PolymarketSimulator", targets: ["PolymarketSimulator"]),
        .library(name: "OddsProof", targets: ["OddsProof", "OddsRecording", "OddsReports"]),
        .executable(name: "oddstream", targets: ["oddstream"]),
    ],
    traits: [
        .trait(
            name: "SQLite",
            description: "Keeps a history in SQLite. Needs the system's libsqlite3 and its headers (libsqlite3-dev).")
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio.git", from: "2.90.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl.git", from: "2.30.0"),
        .package(url: "https://github.com/apple/swift-crypto.git", from: "4.0.0"),
        .package(url: "https://github.com/apple/swift-log.git", from: "1.6.3"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift.git", from: "0.2.0"),
        .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.5.0"),
        .package(url: "https://github.com/apple/swift-configuration.git", from: "1.0.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", from: "2.8.0"),
        .package(url: "https://github.com/swift-server/async-http-client.git", from: "1.30.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird.git", from: "2.20.0"),
        .package(url: "https://github.com/groue/GRDB.swift.git", from: "7.0.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess.git", from: "1.0.0"),
        .package(url: "https://github.com/apple/swift-system.git", from: "1.5.0"),
    ],
    targets: [
        .target(
            name: "OddsCore",
            dependencies: [product("Crypto", "swift-crypto"), product("Histogram", "hdrhistogram-swift")],
            swiftSettings: settings),
        // The HTTP client links the same library, so that nobody can build without it: no trait would spare anybody anything.
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),
        .target(
            name: "OddsRecording",
            dependencies: [
                "OddsCore", "CZlib", product("Crypto", "swift-crypto"), product("Logging", "swift-log"),
                product("ServiceLifecycle", "swift-service-lifecycle"),
            ], swiftSettings: settings),
        .target(
            name: "OddsReports", dependencies: ["OddsCore", product("Crypto", "swift-crypto")], swiftSettings: settings),
        .target(
            name: "OddsProof",
            dependencies: [
                "OddsCore", "RealtimeOdds", "OddsTrading", "OddsRecording", "OddsReports", "PolymarketSimulator",
                product("Crypto", "swift-crypto"), product("NIOCore", "swift-nio"), product("NIOEmbedded", "swift-nio"),
                product("Logging", "swift-log"),
                product("ServiceLifecycle", "swift-service-lifecycle"),
            ], swiftSettings: settings),
        .target(
            name: "RealtimeOdds",
            dependencies: ["OddsCore"] + nio + [
                product("AsyncHTTPClient", "async-http-client"), product("Crypto", "swift-crypto"),
                product("Logging", "swift-log"), product("ServiceLifecycle", "swift-service-lifecycle"),
            ], swiftSettings: settings),
        .target(name: "OddsTrading", dependencies: ["OddsCore"], swiftSettings: settings),
        .target(
            name: "OddsServer",
            dependencies: [
                "OddsCore", product("Hummingbird", "hummingbird"), product("Logging", "swift-log"),
                product("NIOCore", "swift-nio"), product("ServiceLifecycle", "swift-service-lifecycle"),
            ], swiftSettings: settings),
        .target(
            name: "OddsStore",
            dependencies: [
                "OddsCore",
                .product(name: "GRDB", package: "GRDB.swift", condition: .when(traits: ["SQLite"])),
                product("Logging", "swift-log"), product("ServiceLifecycle", "swift-service-lifecycle"),
            ], swiftSettings: settings),
        .target(
            name: "OddsSinks",
            dependencies: [
                "OddsCore", product("AsyncHTTPClient", "async-http-client"), product("Crypto", "swift-crypto"),
                product("Subprocess", "swift-subprocess"), product("SystemPackage", "swift-system"),
                product("Logging", "swift-log"), product("NIOCore", "swift-nio"), product("NIOHTTP1", "swift-nio"),
                product("NIOPosix", "swift-nio"), product("NIOSSL", "swift-nio-ssl"),
                product("ServiceLifecycle", "swift-service-lifecycle"),
            ], swiftSettings: settings),
        .target(
            name: "PolymarketSimulator",
            dependencies: ["OddsCore"] + nio + [
                product("Crypto", "swift-crypto"), product("Logging", "swift-log"),
                product("ServiceLifecycle", "swift-service-lifecycle"),
            ], swiftSettings: settings),
        .executableTarget(
            name: "oddstream",
            dependencies: [
                "OddsCore", "RealtimeOdds", "OddsTrading", "OddsStore", "OddsServer", "OddsSinks",
                "OddsRecording", "OddsReports", "OddsProof", "PolymarketSimulator",
                product("ArgumentParser", "swift-argument-parser"), product("Configuration", "swift-configuration"),
                product("ServiceLifecycle", "swift-service-lifecycle"),
                product("UnixSignals", "swift-service-lifecycle"), product("Logging", "swift-log"),
                product("AsyncHTTPClient", "async-http-client"), product("NIOCore", "swift-nio"),
                product("NIOPosix", "swift-nio"), product("NIOHTTP1", "swift-nio"), product("NIOSSL", "swift-nio-ssl"),
            ], swiftSettings: settings),
        .target(
            name: "OddsTestSupport",
            dependencies: [
                "OddsCore", product("NIOCore", "swift-nio"), product("NIOHTTP1", "swift-nio"),
                product("NIOPosix", "swift-nio"),
            ], path: "Tests/OddsTestSupport",
            swiftSettings: settings),
        .target(
            name: "ChaosSupport",
            dependencies: [
                "OddsCore", "OddsProof", "RealtimeOdds", "PolymarketSimulator", product("NIOCore", "swift-nio"),
                product("NIOEmbedded", "swift-nio"), product("Logging", "swift-log"),
            ], path: "Tests/ChaosSupport", swiftSettings: settings),
        .testTarget(
            name: "OddsCoreTests", dependencies: ["OddsCore", "OddsTestSupport"], exclude: ["Fixtures"],
            swiftSettings: settings),
        .testTarget(
            name: "RealtimeOddsTests",
            dependencies: [
                "RealtimeOdds", "OddsTestSupport", product("NIOEmbedded", "swift-nio"),
                product("ServiceLifecycleTestKit", "swift-service-lifecycle"),
            ] + nio, swiftSettings: settings),
        .testTarget(
            name: "OddsTradingTests", dependencies: ["OddsTrading", "OddsCore", "OddsTestSupport"],
            swiftSettings: settings),
        .testTarget(
            name: "PolymarketSimulatorTests",
            dependencies: [
                "PolymarketSimulator", "OddsTestSupport", product("AsyncHTTPClient", "async-http-client"),
                product("Logging", "swift-log"), product("ServiceLifecycle", "swift-service-lifecycle"),
            ] + nio,
            swiftSettings: settings),
        .testTarget(
            name: "OddsRecordingTests", dependencies: ["OddsRecording", "OddsCore", "OddsTestSupport"],
            swiftSettings: settings),
        .testTarget(
            name: "OddsReportsTests", dependencies: ["OddsReports", "OddsCore", "OddsTestSupport"],
            swiftSettings: settings),
        .testTarget(
            name: "OddsProofTests",
            dependencies: [
                "OddsProof", "OddsRecording", "OddsReports", "OddsTrading", "PolymarketSimulator", "RealtimeOdds",
                "OddsCore", "OddsTestSupport", product("NIOCore", "swift-nio"), product("NIOEmbedded", "swift-nio"),
                product("Logging", "swift-log"),
            ], swiftSettings: settings),
        .testTarget(
            name: "OddsStoreTests",
            dependencies: [
                "OddsStore", "OddsTestSupport",
                .product(name: "GRDB", package: "GRDB.swift", condition: .when(traits: ["SQLite"])),
                product("Logging", "swift-log"), product("ServiceLifecycle", "swift-service-lifecycle"),
            ], swiftSettings: settings),
        .testTarget(
            name: "OddsServerTests",
            dependencies: ["OddsServer", "OddsTestSupport", product("HummingbirdTesting", "hummingbird")],
            swiftSettings: settings),
        .testTarget(
            name: "OddsSinksTests",
            dependencies: [
                "OddsSinks", "OddsTestSupport", product("Crypto", "swift-crypto"), product("Logging", "swift-log"),
                product("NIOCore", "swift-nio"), product("NIOHTTP1", "swift-nio"), product("NIOPosix", "swift-nio"),
                product("ServiceLifecycle", "swift-service-lifecycle"),
            ], swiftSettings: settings),
        .testTarget(
            name: "IntegrationTests",
            dependencies: [
                "oddstream", "ChaosSupport", "OddsProof", "OddsRecording", "OddsReports", "OddsSinks", "OddsStore",
                "OddsTrading", "PolymarketSimulator",
                "RealtimeOdds",
                "OddsTestSupport",
                product("Crypto", "swift-crypto"), product("NIOCore", "swift-nio"), product("NIOPosix", "swift-nio"),
            ],
            swiftSettings: settings),
    ]
)

if conformance {
    package.targets.append(
        .executableTarget(
            name: "WebSocketConformance",
            dependencies: ["OddsCore", "RealtimeOdds", "PolymarketSimulator"] + nio, path: "Conformance",
            exclude: ["run.sh"], swiftSettings: settings))
}

if chaos {
    package.targets.append(
        .executableTarget(
            name: "Chaos", dependencies: ["OddsCore", "OddsProof", "ChaosSupport"], path: "Chaos",
            swiftSettings: settings))
}

if fuzzing {
    package.targets.append(.target(name: "FuzzDriver", path: "Fuzz/Driver", swiftSettings: settings))
    package.targets += ["WebSocketFuzzer", "MarketFrameFuzzer", "PipelineFuzzer"].map { name in
        .executableTarget(
            name: name, dependencies: ["OddsCore", "FuzzDriver"], path: "Fuzz/\(name)", swiftSettings: settings)
    }
}
