package io.javisor.jmh;

/** Somebody else who does the same work, and measures it when told to. */
interface Peer {
    /** What an operation takes, measured for about this long. */
    Cost measure(long nanos);

    /** The peer of a benchmark, by class and method; what it needs is ready once the benchmark's first iteration is over. */
    static Peer start(String benchmark) {
        String method = benchmark.substring(benchmark.indexOf('.') + 1);
        return switch (benchmark.substring(0, benchmark.indexOf('.'))) {
            case "ScsiRequests" -> new FioPeer(method);
            case "VhdxRequests", "FibreChannelRequests" -> new RawPeer(method);
            case "VhdxSequential" -> new QemuImgPeer(method);
            default -> ProgramPeer.start(benchmark);
        };
    }
}
