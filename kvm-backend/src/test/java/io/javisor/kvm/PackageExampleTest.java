package io.javisor.kvm;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** The example of the package's documentation: it runs, and it is the one that is printed there. */
class PackageExampleTest {
    private static String example() {
        // example
        byte[] code = {
            (byte) 0xB0,
            'A', // mov al, 'A'
            (byte) 0xE6,
            0x10, // out 0x10, al
            (byte) 0xF4 // hlt
        };
        try (Kvm kvm = Kvm.open();
                KvmVm vm = kvm.createVm();
                GuestRam ram = vm.mapMemory(0x1000, 0x4000);
                Vcpu cpu = vm.createVcpu(0)) {
            ram.write(0x1000, code);
            Sregs sregs = cpu.sregs();
            cpu.setSregs(sregs.cs(sregs.cs().realMode(0)));
            cpu.setRegs(new Regs().rip(0x1000));
            StringBuilder output = new StringBuilder();
            for (; ; ) {
                switch (cpu.run()) {
                    case Exit.IoOut out -> output.append((char) out.value());
                    case Exit.Halt halt -> {
                        return output.toString();
                    }
                    case Exit exit -> throw cpu.dump().error(exit);
                }
            }
        }
        // end of the example
    }

    @Test
    void exampleRuns() {
        TinyGuest.assumeKvm();
        assertThat(example()).isEqualTo("A");
    }

    @Test
    void exampleIsTheOneInTheDocumentation() throws Exception {
        String printed = code("src/main/java/io/javisor/kvm/package-info.java", "* {@snippet :", "*/");
        String compiled =
                code("src/test/java/io/javisor/kvm/PackageExampleTest.java", "// example", "// end of the example");
        assertThat(compiled).hasSizeGreaterThan(400);
        // The last brace printed closes the snippet.
        assertThat(printed).isEqualTo(compiled + "}");
    }

    /** The lines between two, without the spaces, which the formatter moves. */
    private static String code(String file, String begin, String end) throws Exception {
        return Files.readAllLines(Path.of(file)).stream()
                .map(String::strip)
                .dropWhile(l -> !l.equals(begin))
                .skip(1)
                .takeWhile(l -> !l.equals(end))
                .map(l -> l.startsWith("* ") ? l.substring(2) : l)
                .collect(Collectors.joining())
                .replace(" ", "");
    }
}
