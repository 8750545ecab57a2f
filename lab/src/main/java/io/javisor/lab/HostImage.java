package io.javisor.lab;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;

/**
 * What the lab boots, kept in the user's cache.
 *
 * @param kernel bzImage or ELF
 * @param initramfs brings the root file system
 * @param modules the folder of the kernel's modules, {@code .../lib/modules/RELEASE}
 */
record HostImage(Path kernel, Path initramfs, Path modules) {
    private static final String SCRIPT = """
            set -eu
            mkdir -p "$1"; cd "$1"; exec 9>.lock; flock 9
            [ -e done ] && cmp -s "$3/init" init && cmp -s "$3/agent" agent && cmp -s "$3/session" session && { rm -rf "$3"; exit 0; }
            rm -f done
            rm -rf tree root *.deb
            apt-get download $(apt-cache depends "$2" | awk '/Depends:/{print $2; exit}') >/dev/null 2>&1
            dpkg-deb -x *.deb tree; rm *.deb
            rel=$(ls tree/lib/modules)
            depmod -b "$1/tree" "$rel"
            mkdir -p root/bin root/lower root/ram root/root root/proc root/sys root/dev root/m
            cp /bin/busybox root/bin/
            for set in root:virtio_pci,virtio_console,9pnet_virtio,9p,overlay kvm:kvm_amd; do
                for m in $(echo "${set#*:}" | tr , ' '); do
                    modprobe -d "$1/tree" -S "$rel" --show-depends $m | awk '/^insmod/{print $2}' | while read -r f; do
                        n=$(basename "${f%.xz}")
                        [ -e "root/m/$n" ] && continue
                        case $f in *.xz) xz -dc "$f" >"root/m/$n" ;; *) cp "$f" root/m/ ;; esac
                        echo "/m/$n" >>"root/modules.${set%%:*}"
                    done
                done
            done
            cp "$3"/init "$3"/agent "$3"/session root/
            chmod +x root/init
            cp "$3"/init "$3"/agent "$3"/session .
            (cd root; find . | busybox cpio -o -H newc 2>/dev/null) >initramfs
            rm -rf root
            cp tree/boot/vmlinuz-* kernel
            rm -rf "$3"
            touch done
            """;

    static HostImage of(HostKernel version) {
        Path cache = Path.of(System.getProperty("user.home"), ".cache", "javisor", "lab-" + version.version());
        try {
            Path scripts = Files.createTempDirectory("javisor-lab-scripts");
            for (String name : new String[] {"init", "agent", "session"}) {
                try (InputStream in = Objects.requireNonNull(HostImage.class.getResourceAsStream(name))) {
                    Files.copy(in, scripts.resolve(name));
                }
            }
            Process process = new ProcessBuilder(
                            "sh", "-c", SCRIPT, "fetch", cache.toString(), version.metaPackage(), scripts.toString())
                    .redirectErrorStream(true)
                    .start();
            String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (process.waitFor() != 0) {
                throw new LabException("lab-unavailable", "cannot make the lab's image: " + said, null, null);
            }
            Path release;
            try (var list = Files.list(cache.resolve("tree/lib/modules"))) {
                release = list.findFirst().orElseThrow();
            }
            return new HostImage(cache.resolve("kernel"), cache.resolve("initramfs"), release);
        } catch (IOException e) {
            throw new LabException("lab-unavailable", "cannot make the lab's image", null, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new LabException("lab-unavailable", "interrupted", null, e);
        }
    }
}
