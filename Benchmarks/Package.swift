// swift-tools-version:6.2
import PackageDescription

let package = Package(
    name: "oddstream-benchmarks",
    platforms: [.macOS(.v26)],
    dependencies: [
        .package(name: "oddstream", path: ".."),
        .package(url: "https://github.com/ordo-one/benchmark.git", from: "1.38.0", traits: []),
    ],
    targets: [
        .executableTarget(
            name: "Oddstream",
            dependencies: [
                .product(name: "Benchmark", package: "benchmark"), .product(name: "OddsCore", package: "oddstream"),
                .product(name: "OddsProof", package: "oddstream"),
            ],
            path: "Benchmarks/Oddstream",
            swiftSettings: [.swiftLanguageMode(.v6)],
            plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")])
    ]
)
