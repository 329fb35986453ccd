using BenchmarkDotNet.Running;
using TeleCmi.Benchmarks;

if (args is ["--quick"])
{
    return QuickCheck.Run();
}

BenchmarkSwitcher.FromAssembly(typeof(QuickCheck).Assembly).Run(args);
return 0;
