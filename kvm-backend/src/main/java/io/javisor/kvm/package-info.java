@NullMarked
package io.javisor.kvm;

import org.jspecify.annotations.NullMarked;
