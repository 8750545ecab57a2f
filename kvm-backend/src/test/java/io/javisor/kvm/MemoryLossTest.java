package io.javisor.kvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.javisor.linux.HostFile;
import io.javisor.linux.Mapping;
import io.javisor.linux.PageSize;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * A host that can't give the memory that a guest has: here its file is cut off, which is to KVM and to this process what a lack
 * of huge pages is. It is an error of that guest, and the JVM lives.
 */
@Timeout(60)
class MemoryLossTest {
    private static final long SIZE = 0x4000;
    private static final long GPA = 0x10_0000;

    @Test
    void isATypedFailureOfTheGuestAndNeverEndsTheJvm() {
        // Real mode reaches 0x100000 as FFFF:0010.
        int[] code = {
            0xB8, 0xFF, 0xFF, //       mov ax, 0xffff
            0x8E, 0xD8, //             mov ds, ax
            0xA0, 0x10, 0x00, //       mov al, [0x10]      at 0x100000
            0xE6, 0x10, //             out 0x10, al
            0xF4, //                   hlt
        };
        try (TinyGuest guest = new TinyGuest(code);
                HostFile file = memory();
                Mapping mapping = Mapping.of(file.descriptor(), 0, SIZE, Mapping.Access.SHARED)) {
            guest.vm.setMemory(7, GPA, mapping.segment());
            mapping.segment().set(ValueLayout.JAVA_BYTE, 0, (byte) 'm');
            assertThat(guest.cpu.run())
                    .isInstanceOfSatisfying(
                            Exit.IoOut.class, out -> assertThat(out.value()).isEqualTo('m'));

            guest.load(code);
            file.truncate(0);
            losesItsMemory(guest);
            assertThatThrownBy(() -> {
                        for (int i = 0; i < 1_000; i++) {
                            mapping.segment().get(ValueLayout.JAVA_BYTE, i);
                        }
                    })
                    .isInstanceOf(InternalError.class);

            file.truncate(SIZE); // the memory is back
            guest.load(code);
            assertThat(guest.cpu.run())
                    .isInstanceOfSatisfying(
                            Exit.IoOut.class, out -> assertThat(out.value()).isZero());
        }
    }

    private static HostFile memory() {
        HostFile file = HostFile.memory("lost", PageSize.KIB_4);
        file.truncate(SIZE);
        return file;
    }

    /** KVM_RUN fails; or a KVM that emulates the guest's code (kvm_pvm) takes the address for that of a device. */
    private static void losesItsMemory(TinyGuest guest) {
        Exit exit;
        try {
            exit = guest.cpu.run();
        } catch (KvmException e) {
            assertThat(e.code()).isEqualTo("kvm-guest-memory");
            assertThat(e.call()).isEqualTo("KVM_RUN");
            assertThat(e.remedy()).isNotBlank();
            assertThat(e).hasMessageContaining("vCPU 0");
            return;
        }
        assertThat(exit).isInstanceOfSatisfying(Exit.MmioRead.class, read -> {
            assertThat(read.address()).isEqualTo(GPA);
            read.set('d');
        });
        assertThat(guest.cpu.run())
                .isInstanceOfSatisfying(
                        Exit.IoOut.class, out -> assertThat(out.value()).isEqualTo('d'));
    }
}
