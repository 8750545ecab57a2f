package io.javisor.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class ErrnoTest {
    private static final Pattern DEFINE = Pattern.compile("#define\\s+(E\\w+)\\s+(\\d+).*");

    @Test
    void namesAreThoseOfTheHeaders() throws Exception {
        Path headers = Path.of("/usr/include/asm-generic");
        assumeTrue(Files.exists(headers.resolve("errno.h")), "needs asm-generic/errno.h (Debian: linux-libc-dev)");
        TreeMap<Integer, String> names = new TreeMap<>();
        for (String file : List.of("errno-base.h", "errno.h")) {
            for (String line : Files.readAllLines(headers.resolve(file))) {
                Matcher m = DEFINE.matcher(line);
                if (m.matches()) {
                    names.put(Integer.parseInt(m.group(2)), m.group(1));
                }
            }
        }
        assertThat(names).hasSizeGreaterThan(120);
        names.forEach((number, name) -> assertThat(Errno.name(number)).isEqualTo(name));
    }

    @Test
    void unknownNumbersStayNumbers() {
        assertThat(Errno.name(0)).isEqualTo("errno 0");
        assertThat(Errno.name(41)).isEqualTo("errno 41");
        assertThat(Errno.name(4000)).isEqualTo("errno 4000");
        assertThat(Errno.name(-1)).isEqualTo("errno -1");
    }

    @Test
    void messageHasCallValuesAndName() {
        LinuxException e = new LinuxException("mmap", "memfd:ram, 4096 bytes at offset 0", Errno.ENOMEM);
        assertThat(e).hasMessage("mmap(memfd:ram, 4096 bytes at offset 0): ENOMEM");
        assertThat(e.values()).isEqualTo("memfd:ram, 4096 bytes at offset 0");
    }
}
