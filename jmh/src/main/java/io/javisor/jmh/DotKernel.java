package io.javisor.jmh;

import io.javisor.api.MachineBuilder;
import io.javisor.api.MemorySize;
import io.javisor.api.VirtualMachine;
import io.javisor.api.Wait;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** A kernel that prints dots for ever, with 16 MiB of data, as an ELF file in a folder in memory. */
final class DotKernel implements AutoCloseable {
    private static final byte[] DOTS = Code.bytes(
            0x66, 0xBA, 0xF8, 0x03, // mov dx, 0x3f8     the first serial port
            0xB0, '.', // mov al, '.'
            0xEE, // again: out dx, al
            0xEB, 0xFD); // jmp again
    private static final long ENTRY = 0x10_0000;
    private static final long DATA = 0x40_0000;
    private static final int DATA_BYTES = 16 << 20;
    private static final int CODE_AT = 4096;
    private static final int DATA_AT = 8192;

    private final Path folder;

    DotKernel() {
        Path memory = Path.of(System.getProperty("javisor.jmh.folder", "/dev/shm"));
        try {
            folder = Files.createTempDirectory(memory, "javisor-jmh-");
            Files.write(folder.resolve("kernel"), elf());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    Path folder() {
        return folder;
    }

    MachineBuilder machine() {
        return VirtualMachine.builder("benchmark")
                .memory(MemorySize.mib(64))
                .linux(l -> l.kernel(folder.resolve("kernel")));
    }

    /** A machine that has printed, and stands still. */
    VirtualMachine paused() {
        VirtualMachine vm = machine().build();
        try {
            vm.start();
            vm.await(Wait.forConsole("."), Duration.ofSeconds(30));
            vm.pause();
            return vm;
        } catch (RuntimeException e) {
            vm.close();
            throw e;
        }
    }

    private static byte[] elf() {
        ByteBuffer elf = ByteBuffer.allocate(DATA_AT + DATA_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        elf.put(Code.bytes(0x7F, 'E', 'L', 'F', 2, 1, 1)).position(16);
        elf.putShort((short) 2).putShort((short) 62).putInt(1).putLong(ENTRY); // executable, x86-64
        elf.putLong(64).putLong(0).putInt(0).putShort((short) 64);
        elf.putShort((short) 56).putShort((short) 2); // program headers
        elf.position(64);
        segment(elf, CODE_AT, ENTRY, DOTS.length);
        segment(elf, DATA_AT, DATA, DATA_BYTES);
        elf.position(CODE_AT).put(DOTS).position(DATA_AT);
        for (int i = 0; i < DATA_BYTES; i += 4) {
            elf.putInt(i * 0x9E3779B1 | 1);
        }
        return elf.array();
    }

    private static void segment(ByteBuffer elf, long offset, long gpa, long length) {
        elf.putInt(1).putInt(7).putLong(offset).putLong(gpa).putLong(gpa);
        elf.putLong(length).putLong(length).putLong(4096);
    }

    /** Deletes a folder with all that is in it. */
    static void delete(Path folder) {
        try (Stream<Path> all = Files.walk(folder)) {
            List<Path> deepestFirst = all.sorted(Comparator.reverseOrder()).toList();
            for (Path path : deepestFirst) {
                Files.delete(path);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        delete(folder);
    }
}
