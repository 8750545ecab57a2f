package io.javisor.jmh;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;

/** A C program that measures when it is told to. Ends with this JVM, which closes its standard input. */
final class ProgramPeer implements Peer {
    private final Writer to;
    private final BufferedReader from;

    private ProgramPeer(Process process) {
        to = process.outputWriter(StandardCharsets.US_ASCII);
        from = process.inputReader(StandardCharsets.US_ASCII);
    }

    static ProgramPeer start(String benchmark) {
        String program = System.getProperty(PeerProfiler.PROGRAM, "");
        try {
            return new ProgramPeer(new ProcessBuilder(program, benchmark)
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start());
        } catch (IOException e) {
            throw new UncheckedIOException(
                    PeerProfiler.PROGRAM + "=" + program + " can't be run; jmh/compare builds it", e);
        }
    }

    @Override
    public Cost measure(long nanos) {
        try {
            to.write(nanos + "\n");
            to.flush();
            String line = from.readLine();
            if (line == null) {
                throw new IOException("the peer has ended");
            }
            int blank = line.indexOf(' ');
            return new Cost(
                    Double.parseDouble(line.substring(0, blank)), Double.parseDouble(line.substring(blank + 1)));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
