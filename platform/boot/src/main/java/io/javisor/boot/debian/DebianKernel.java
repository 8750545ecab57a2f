package io.javisor.boot.debian;

import io.javisor.boot.image.KernelModules;
import java.nio.file.Path;

/**
 * A stock kernel in the cache.
 *
 * @param name as it was asked for, such as {@code 6.1-cloud}
 * @param packageName the package that holds it, such as {@code linux-image-6.1.0-50-cloud-amd64}
 * @param packageVersion that package's version, such as {@code 6.1.187-1}
 * @param release what {@code uname -r} gives in the guest, such as {@code 6.1.0-50-cloud-amd64}
 * @param image the bzImage ({@code boot/vmlinuz-RELEASE})
 * @param modulesFolder the module tree ({@code lib/modules/RELEASE}); {@code modules.dep} is there if {@code depmod} was when it
 *     was unpacked, or after {@link DebianPackages#indexModules}
 */
public record DebianKernel(
        String name, String packageName, String packageVersion, String release, Path image, Path modulesFolder) {
    /**
     * Opens the module tree.
     *
     * @return its modules
     */
    public KernelModules modules() {
        return KernelModules.open(modulesFolder);
    }
}
