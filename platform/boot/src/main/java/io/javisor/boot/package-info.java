@NullMarked
package io.javisor.boot;

import org.jspecify.annotations.NullMarked;
