package io.javisor.boot.image;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.List;

/** The {@code zstd} program as a stream: one thread feeds it, the reader drains it; its failure is the reader's error. */
final class ZstdProcess extends FilterInputStream {
    private final String name;
    private final Process process;
    private final InputStream source;
    private boolean ended;

    private ZstdProcess(String name, Process process, InputStream source) {
        super(process.getInputStream());
        this.name = name;
        this.process = process;
        this.source = source;
    }

    static InputStream open(String name, InputStream source) throws IOException {
        Process process;
        try {
            process = new ProcessBuilder(List.of("zstd", "-dcq", "--memory=160MB"))
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
        } catch (IOException e) {
            source.close();
            throw new ImageException(
                    "image-tool",
                    name + " is compressed with zstd, and there is no zstd program on the PATH",
                    "install it (Debian: apt-get install zstd), or decompress the file",
                    e);
        }
        ZstdProcess stream = new ZstdProcess(name, process, source);
        Thread.ofVirtual().name("javisor-zstd-feed").start(stream::feed);
        return stream;
    }

    private void feed() {
        try (OutputStream out = process.getOutputStream()) {
            source.transferTo(out);
        } catch (IOException e) {
            // zstd ended early, or the source failed: zstd then sees a short stream, and its exit code tells.
        }
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
        if (ended) {
            return -1;
        }
        int count = super.read(bytes, offset, length);
        if (count < 0) {
            ended = true;
            try {
                int code = process.waitFor();
                if (code != 0) {
                    throw new IOException("zstd -dc ended with " + code + " on " + name);
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IOException("interrupted while zstd read " + name, e);
            }
        }
        return count;
    }

    @Override
    public void close() throws IOException {
        process.destroyForcibly();
        try {
            super.close();
        } finally {
            source.close();
        }
    }
}
