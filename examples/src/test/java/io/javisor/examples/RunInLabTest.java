package io.javisor.examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.javisor.boot.debian.DebianPackages;
import io.javisor.boot.image.Initramfs;
import io.javisor.lab.junit.LabTest;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How a guest ends is told by javisor's exit code. */
@LabTest(guests = "6.12-cloud")
class RunInLabTest {
    @TempDir
    private Path folder;

    private Ran run(Path kernel, String init, String... more) throws IOException {
        Path initrd = Initramfs.of(b -> b.console()
                        .executable("/bin/busybox", DebianPackages.open().busybox())
                        .script("/init", """
                                #!/bin/busybox sh
                                b=/bin/busybox
                                $b mkdir -p /proc
                                $b mount -t proc proc /proc
                                """ + init))
                .writeTo(folder.resolve("initrd.cpio"));
        var arguments = new ArrayList<>(
                List.of("run", "--no-lab", "--kernel", kernel.toString(), "--initrd", initrd.toString()));
        arguments.addAll(List.of(more));
        return Ran.javisor(arguments.toArray(String[]::new));
    }

    private static Path stock() {
        return DebianPackages.open().kernel("6.12-cloud").image();
    }

    @Test
    void powerOffIs0() throws IOException {
        assertThat(run(stock(), "$b poweroff -f\n")).isEqualTo(new Ran(0, "", ""));
    }

    @Test
    void aPanicIs70() throws IOException {
        Ran ran = run(stock(), "echo c > /proc/sysrq-trigger\n");
        assertThat(ran.exitCode()).isEqualTo(70);
        assertThat(ran.err()).startsWith("javisor: the guest panicked: ").contains("sysrq triggered crash");
    }

    @Test
    void aResetIs71IfItShallNotBootAgain() throws IOException {
        Ran ran = run(stock(), "$b reboot -f\n", "--no-reboot");
        assertThat(ran).isEqualTo(new Ran(71, "", "javisor: the guest reset itself\n"));
    }

    @Test
    void aHangIs75WithTheProcessorsState() throws IOException {
        Ran ran = run(stock(), "while :; do :; done\n", "--timeout", "12");
        assertThat(ran.exitCode()).isEqualTo(75);
        assertThat(ran.err())
                .startsWith("javisor: the guest did not end within the time given")
                .contains("rip");
    }

    @Test
    void execGivesTheCommandsOwnCode() {
        Ran ran = Ran.javisor("run", "--no-lab", "--exec", "cat /proc/version; exit 7");
        assertThat(ran).isEqualTo(new Ran(7, "", ""));
    }

    /** Two machines on a switch; each says what it sees, and the run's code is that of the first that has one. */
    @Test
    @Tag("long")
    void severalMachinesMeetOnASwitch() throws IOException {
        Path file = Files.writeString(folder.resolve("machines"), """
                # a server and its client
                switch lan: capture=%s
                server: --memory 256M --net switch=lan,vlan=10 \\
                    --exec 'ip addr add 192.168.7.1/24 dev eth0; ip link set eth0 up; \\
                        mkdir /tmp/www; echo hello >/tmp/www/hello; httpd -p 80 -h /tmp/www'
                client: --memory 256M --net switch=lan,vlan=10,max=100M --exec 'ip addr add 192.168.7.2/24 dev eth0; \\
                    ip link set eth0 up; for i in $(seq 60); do timeout 9 wget -q -O - http://192.168.7.1/hello && exit 3; sleep 1; done'
                """.formatted(folder.resolve("lan.pcapng")));
        var code = new int[1];
        String printed = Printed.by(() -> code[0] =
                Ran.javisor("run", "--no-lab", "--machines", file.toString()).exitCode());
        assertThat(printed).as("code " + code[0]).isEqualTo("client| hello\n");
        assertThat(code[0]).isEqualTo(3);
        assertThat(Files.size(folder.resolve("lan.pcapng"))).isGreaterThan(500);
    }

    /** Two machines are saved with what they were doing, and go on on a switch of the next run. */
    @Test
    @Tag("long")
    void savedMachinesMeetAgainOnASwitch() throws IOException {
        Path first = Files.writeString(folder.resolve("first"), """
                server: --memory 256M --net switch=lan,vlan=10 --save %1$s/server \
                    --exec 'ip addr add 192.168.7.1/24 dev eth0; ip link set eth0 up; \
                        mkdir /tmp/www; echo kept >/tmp/www/word; httpd -p 80 -h /tmp/www'
                client: --memory 256M --net switch=lan,vlan=10 --save %1$s/client --exec 'ip addr add 192.168.7.2/24 dev eth0; \
                    ip link set eth0 up; for i in $(seq 60); do timeout 9 wget -q -O - http://192.168.7.1/word && exit 0; sleep 1; done; exit 9'
                """.formatted(folder));
        assertThat(machines(first)).isEqualTo("client| kept\n");
        Path then = Files.writeString(folder.resolve("then"), """
                server: --restore %1$s/server --exec 'echo changed >/tmp/www/word'
                client: --restore %1$s/client \
                    --exec 'for i in $(seq 60); do timeout 9 wget -q -O - http://192.168.7.1/word | grep changed && exit 0; sleep 1; done; exit 9'
                """.formatted(folder));
        assertThat(machines(then)).isEqualTo("client| changed\n");
    }

    private static String machines(Path file) {
        var code = new int[1];
        String printed = Printed.by(() -> code[0] =
                Ran.javisor("run", "--no-lab", "--machines", file.toString()).exitCode());
        assertThat(code[0]).as(printed).isZero();
        return printed;
    }

    /** An ELF kernel whose first instructions load an empty interrupt table and use it. */
    @Test
    void aTripleFaultIs70() throws IOException {
        byte[] code = {0x0F, 0x01, 0x1D, 2, 0, 0, 0, 0x0F, 0x0B, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
        ByteBuffer elf = ByteBuffer.allocate(0x1000 + code.length).order(ByteOrder.LITTLE_ENDIAN);
        elf.put(new byte[] {0x7F, 'E', 'L', 'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0});
        elf.putShort((short) 2).putShort((short) 62).putInt(1); // executable, x86-64
        elf.putLong(0x1000000).putLong(64).putLong(0); // entry, program headers, section headers
        elf.putInt(0).putShort((short) 64).putShort((short) 56).putShort((short) 1);
        elf.position(64);
        elf.putInt(1).putInt(7).putLong(0x1000); // PT_LOAD, all rights, offset in the file
        elf.putLong(0x1000000).putLong(0x1000000); // virtual and physical address
        elf.putLong(code.length).putLong(code.length).putLong(0x1000);
        elf.put(0x1000, code);
        Ran ran = run(Files.write(folder.resolve("fault.elf"), elf.array()), "");
        assertThat(ran.exitCode()).as(ran.err()).isEqualTo(70);
        assertThat(ran.err()).startsWith("javisor: triple fault on vCPU 0").contains("rip");
    }
}
